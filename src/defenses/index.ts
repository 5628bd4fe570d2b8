import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { defenses } from "./defense.js";

export * from "./all.js";
export { defenses, defineDefense } from "./defense.js";
export { denoiserPart } from "./denoiser/denoiser-part.js";
export { UNet, type UNetSizes } from "./denoiser/u-net.js";
export { densityPart } from "./density/density-part.js";
export { logLikelihood } from "./density/logistic-mixture.js";
export { PixelCnn, type PixelCnnSizes } from "./density/pixel-cnn.js";
export { matchingNames } from "./layer-names.js";
export { type BinaryFactory, binarizeWeights, binary, clipBinaryWeights } from "./quantization/binary.js";
export { placeAfter, placedQuantizers } from "./quantization/place.js";
export {
  QuantizedActivation,
  type QuantizerFactory,
  type QuantizerOptions,
  quantizer,
} from "./quantization/quantizer.js";
export { type PartKind, partNotes } from "./stored-part.js";

defenses.include(...Object.values(all));

/** Text of a defense of the package. */
export type DefenseText = TextOf<typeof all>;

import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { defenses } from "./defense.js";

export * from "./all.js";
export { defenses, defineDefense } from "./defense.js";
export { matchingNames } from "./layer-names.js";
export { type BinaryFactory, binarizeWeights, binary, clipBinaryWeights } from "./quantization/binary.js";
export { placeAfter, placedQuantizers } from "./quantization/place.js";
export {
  QuantizedActivation,
  type QuantizerFactory,
  type QuantizerOptions,
  quantizer,
} from "./quantization/quantizer.js";

defenses.register(...Object.values(all));

/** Text of a defense of the package. */
export type DefenseText = TextOf<typeof all>;

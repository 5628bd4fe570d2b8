import type { TextOf } from "../options/index.js";
import * as all from "./all.js";
import { models } from "./architecture.js";

export * from "./all.js";
export {
  type Architecture,
  defineModel,
  imageOptions,
  models,
  normalizedImageOptions,
} from "./architecture.js";
export { exportedBy } from "./exported-by.js";
export { huggingFaceModel, isHuggingFaceFolder } from "./hugging-face.js";
export {
  type Activations,
  type ChannelStatistics,
  type ClassifierOptions,
  type Defense,
  type DefenseWork,
  type ImageFormat,
  type ImageShape,
  isModel,
  type Model,
  numberedClasses,
} from "./model.js";
export { type ModelOfOptions, modelOf } from "./model-of.js";
export { likelyPrefix, matchNames } from "./weight-names.js";

models.register(...Object.values(all));

/** Text of an architecture of the package. */
export type ModelText = TextOf<typeof all>;

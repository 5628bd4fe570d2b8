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
export { areNumbers, type ClassList, classOrderFault } from "./class-order.js";
export { type ExportOnnxOptions, exportOnnx } from "./export/export-onnx.js";
export { type ExportWeightsOptions, exportWeights } from "./export/export-weights.js";
export { isGraphFile } from "./exported/graph-file.js";
export {
  type FileModel,
  type ModelFromFileOptions,
  modelFromFile,
} from "./exported/model-from-file.js";
export { saveExported } from "./exported/save-exported.js";
export { exportedBy } from "./exported-by.js";
export { huggingFaceModel, huggingFaceOnnx, isHuggingFaceFolder } from "./hugging-face/folder.js";
export {
  type Activations,
  type ChannelStatistics,
  type ClassifierOptions,
  type Defense,
  type DefenseWork,
  type GraphFacts,
  type ImageFormat,
  type ImageShape,
  isModel,
  type Model,
  numberedClasses,
} from "./model.js";
export { type ModelOfOptions, modelOf } from "./model-of.js";
export { statisticsOf } from "./statistics-text.js";
export { lackingPrefix, likelyPrefix, matchNames } from "./weight-names.js";

models.include(...Object.values(all));

/** Text of an architecture of the package. */
export type ModelText = TextOf<typeof all>;

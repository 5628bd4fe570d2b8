/**
 * What the package offers its users; everything else may change at any time. Networks are trained by `train`, kept in run
 * folders, opened by `networkFromRun`, attacked by `fgsm()`, `pgd()` and the like, and measured by `evaluate`.
 */

export { neighborAgreement } from "./analysis/neighbors.js";
export { penultimate } from "./analysis/penultimate.js";
export { type TSneOptions, type TSneProgress, tSne } from "./analysis/t-sne.js";
export * from "./attacks/index.js";
export { deriveSeed, FileFormatError, type Seed, TensorError, UseAfterDisposeError } from "./base/index.js";
export * from "./datasets/index.js";
export * from "./defenses/index.js";
export {
  type DType,
  grad,
  imageIdRange,
  keep,
  liveTensors,
  type Noise,
  noGrad,
  operators,
  scope,
  setThreads,
  Tensor,
  tensor,
  threads,
  versions,
} from "./engine/index.js";
export * from "./evaluation/index.js";
export * from "./models/index.js";
export * from "./nn/index.js";
export {
  type AlarmEvent,
  type AlarmKind,
  type EpochEvent,
  loadWeights,
  presets,
  RunFolder,
  saveWeights,
  type TrainConfig,
  type TrainConfigInput,
  type TrainEvent,
  type TrainingMethod,
  type TrainOptions,
  type TrainResult,
  train,
  trainConfig,
  trainingMethods,
} from "./training/index.js";

export { multipliesBfloat16, type Precision, precisions } from "./bfloat16.js";
export {
  type Classifier,
  checkImages,
  checkLabels,
  checkLogits,
  checkPixelRange,
  classifierOf,
  type ImagePass,
  type LevelFacts,
  type PixelLevels,
} from "./classifier.js";
export { withoutFusion } from "./fusion.js";
export * from "./layers/index.js";
export { addMultiples, distinct, multiply } from "./lists.js";
export { loadState, notFiniteWeight } from "./load-state.js";
export {
  crossEntropy,
  dlr,
  type Loss,
  type LossName,
  losses,
  margin,
  meanCrossEntropy,
  type TargetedLoss,
  targetedDlr,
  targetedLosses,
} from "./losses.js";
export { Module, type Pass } from "./module.js";
export {
  differsInTraining,
  forgetMade,
  isRandomized,
  parameterCount,
  unsharedModule,
  usesBatchStatistics,
} from "./module-facts.js";
export { Normalize } from "./normalize.js";
export { attribute, type OnnxEdge, OnnxSketch, type OnnxSketchOptions } from "./onnx-sketch.js";
export * from "./optimizers/index.js";
export { PixelThreshold } from "./pixel-threshold.js";
export { transformTensors } from "./places.js";
export { type ReplayedClassifier, replayed } from "./replayed.js";
export * from "./schedules/index.js";
export { applyInTurn, applyResidual, type NamedLayers, Sequential, writeInTurn } from "./sequential.js";

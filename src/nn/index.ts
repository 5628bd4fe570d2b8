export { multipliesBfloat16 } from "./bfloat16.js";
export {
  type Classifier,
  checkImages,
  checkLabels,
  checkPixelRange,
  classifierOf,
  type ImagePass,
} from "./classifier.js";
export { withoutFusion } from "./fusion.js";
export { batchNorm2d, conv2d, linear } from "./initialization.js";
export {
  BatchNorm2d,
  Conv2d,
  Flatten,
  GlobalAveragePool,
  Linear,
  MaxPool2d,
  ReLU,
  WeightedLayer,
  type WeightTransform,
} from "./layers.js";
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
export {
  isRandomized,
  loadState,
  Module,
  type Pass,
  type Precision,
  parameterCount,
  precisions,
  usesBatchStatistics,
} from "./module.js";
export { Normalize } from "./normalize.js";
export { adam, type Optimizer, sgd } from "./optimizers.js";
export { PixelThreshold } from "./pixel-threshold.js";
export { type ReplayedClassifier, replayed } from "./replayed.js";
export {
  constantSchedule,
  cosineSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  triangularSchedule,
} from "./schedules.js";
export { applyInTurn, Sequential } from "./sequential.js";

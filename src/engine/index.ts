export { checkKind, checkNumber, isObject, shownGiven } from "./argument.js";
export { type BlockQuantization, convBlock, convBlockSupports } from "./conv-block.js";
export { captureGraph, capturesGraphs, type DeviceGraph, graphOrWarning, passesBeforeCapture } from "./device-graph.js";
export { checkDevice, liveTensors, searchConvolutions, setThreads, threads, versions } from "./devices.js";
export { type DType, dtypes, type MemoryFormat, type TypedArray } from "./dtype.js";
export {
  FileFormatError,
  NotFiniteError,
  nearestName,
  TensorError,
  UseAfterDisposeError,
  unknownName,
} from "./errors.js";
export { enableGrad, grad, noGrad } from "./gradients.js";
export { withoutHostAccess } from "./host-access.js";
export {
  countedNormal,
  countedUniform,
  imageIdRange,
  largestLambda,
  type Noise,
  type QuantizationRange,
  quantizationRanges,
  quantizeActivation,
  type Rounding,
  roundings,
} from "./noise.js";
export * as operators from "./operators.js";
export { bfloat16Flags, cpuFlags } from "./processor.js";
export { keep, scope } from "./scope.js";
export { deriveSeed, permutation, type Seed } from "./seed.js";
export { sgdUpdate, sgdUpdateSupports } from "./sgd-update.js";
export { type LinfBall, signStep, signStep_ } from "./sign-step.js";
export { abortOn, signalsArrived } from "./signals.js";
export { Tensor, tensor } from "./tensor.js";

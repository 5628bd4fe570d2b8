export { type AddonFile, findAddon, setUpCommand } from "./addon-file.js";
export {
  captureGraph,
  capturesGraphs,
  type DeviceGraph,
  graphOrWarning,
  passesBeforeCapture,
} from "./device/device-graph.js";
export type { CudaAbilities } from "./device/device-name.js";
export {
  checkDevice,
  liveTensors,
  searchConvolutions,
  setThreads,
  threads,
  versions,
} from "./device/devices.js";
export { gpuNames } from "./device/gpu-names.js";
export { withoutHostAccess } from "./device/host-access.js";
export { bfloat16Flags, bfloat16Support, cpuFlags } from "./device/processor.js";
export { call, type Operator, operator, schemaOf } from "./dispatch.js";
export {
  type DType,
  dtypeOf,
  dtypes,
  elementBytes,
  type MemoryFormat,
  scalarType,
  type TypedArray,
} from "./dtype.js";
export { enableGrad, grad, noGrad } from "./gradients.js";
export { type BlockQuantization, convBlock, convBlockSupports } from "./kernels/conv-block.js";
export {
  countWrite,
  type KernelSteps,
  type PackedLayerOptions,
  type PackedWeights,
  packedLayer,
  packWeights,
  versionOf,
} from "./kernels/packed-layer.js";
export { sgdUpdate, sgdUpdateSupports } from "./kernels/sgd-update.js";
export { type LinfBall, signStep, signStep_ } from "./kernels/sign-step.js";
export { tiledConvolution, tiledConvolutionSupports, tilesWeight } from "./kernels/tiled-convolution.js";
export { weightedDraws } from "./kernels/weighted-draws.js";
export { normal, uniform } from "./keyed-noise.js";
export { withMemoryLimit } from "./memory-limit.js";
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
export { EndedProcessError, programBeside, runApart } from "./processes/run-apart.js";
export { workApart } from "./processes/work-apart.js";
export { joinRanks } from "./ranks/join-ranks.js";
export { type Launch, launchOf } from "./ranks/launch.js";
export { rankDevice } from "./ranks/rank-device.js";
export { alone, FirstRankError, type Ranks } from "./ranks/ranks.js";
export { type BatchNormTensors, sharedBatchNorm } from "./ranks/shared-batch-norm.js";
export { keep, scope } from "./scope.js";
export { abortOn, type StopSignal, signalsArrived, stopSignals } from "./signals.js";
export { Tensor, tensor } from "./tensor.js";
export { bytesOfTensor, tensorOfBytes } from "./tensor-bytes.js";

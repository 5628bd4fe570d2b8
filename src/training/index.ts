export {
  configHash,
  ownCode,
  runName,
  type TrainConfig,
  trainConfig,
  trainConfigSchema,
} from "./config.js";
export type { TrainConfigInput } from "./config-input.js";
export type {
  AlarmEvent,
  AlarmKind,
  AttackedAccuracy,
  EpochEvent,
  TrainEvent,
  TrainResult,
} from "./events.js";
export * from "./methods/index.js";
export { type EpochAlarm, epochAlarms } from "./overfitting/alarm.js";
export * from "./overfitting/guards/index.js";
export type { PartEvent, PartResult } from "./parts/events.js";
export { type DenoiserConfig, denoiserOptions, trainDenoiser } from "./parts/train-denoiser.js";
export { type DensityConfig, densityOptions, trainDensity } from "./parts/train-density.js";
export type { PartOptions, TrainedPart } from "./parts/train-part.js";
export { precisionFor } from "./precision.js";
export { type Preset, type PresetName, presets } from "./presets.js";
export { modelFromRun, modelFromWeights, type OpenedRun } from "./run/open-model.js";
export { RunFolder } from "./run/run-folder.js";
export { loadWeights, saveWeights } from "./run/weights-file.js";
export { TrainingSession } from "./session.js";
export { type TrainedRun, type TrainOptions, train } from "./train.js";

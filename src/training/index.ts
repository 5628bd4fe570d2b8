export {
  configHash,
  type PresetName,
  presets,
  runName,
  storedConfig,
  type TrainConfig,
  type TrainConfigInput,
  trainConfig,
  trainConfigSchema,
} from "./config.js";
export type { AlarmEvent, AlarmKind, EpochEvent, Probe, TrainEvent, TrainResult } from "./events.js";
export { type TrainingMethod, trainingMethods } from "./methods/index.js";
export { optimizers } from "./optimizers.js";
export { type EpochAlarm, epochAlarms } from "./overfitting/alarm.js";
export { precisionFor } from "./precision.js";
export { loadCheckpointWeights, loadWeights, saveWeights } from "./run/checkpoint.js";
export { RunFolder } from "./run/run-folder.js";
export { schedules } from "./schedules.js";
export { TrainingSession } from "./session.js";
export { type TrainOptions, train } from "./train.js";

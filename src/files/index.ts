export {
  readCheckpointWeights,
  someNames,
  type WeightsChoice,
} from "./checkpoint-weights.js";
export { type IdxArray, parseIdx, readIdx } from "./idx.js";
export {
  encodeSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type SafetensorsTensor,
  writeSafetensors,
} from "./safetensors.js";
export { commonSegment, plainNames, type StateDict, stateDictOf } from "./state-dict.js";
export { readTar, type TarFile } from "./tar.js";
export { type SummaryValue, TensorBoardWriter } from "./tensorboard/writer.js";
export { type CheckpointValue, isTorchCheckpoint, readTorchCheckpoint } from "./torch-checkpoint.js";
export { readStoredZip } from "./zip.js";

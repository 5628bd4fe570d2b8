export { readTar, type TarFile } from "./archives/tar.js";
export { readStoredZip } from "./archives/zip.js";
export { type NpyArray, type NpyType, npyNumbers, openNpy } from "./arrays/npy.js";
export { openNpz } from "./arrays/npz.js";
export { type ByteSource, fileBytes, memoryBytes } from "./byte-source.js";
export { type IdxArray, parseIdx, readIdx } from "./idx.js";
export { type ImageHeader, imageHeader, mostPixels } from "./images/image-header.js";
export {
  encodeOnnx,
  type Float8Form,
  float8Forms,
  type OnnxAttribute,
  type OnnxElements,
  type OnnxFile,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValue,
  type OnnxWords,
  onnxType,
  readOnnx,
  type StoredType,
  storedTypes,
} from "./onnx/index.js";
export * from "./pt2/index.js";
export {
  encodeSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type SafetensorsTensor,
  writeSafetensors,
} from "./safetensors.js";
export { readSealed, sealIn, writeSealed } from "./sealed-file.js";
export { type CsvRow, parseCsv } from "./tables/csv.js";
export { openParquet, type ParquetFile, type ParquetRowGroup } from "./tables/parquet.js";
export { type SummaryValue, TensorBoardWriter } from "./tensorboard/writer.js";
export {
  readCheckpointWeights,
  someNames,
  type WeightsChoice,
} from "./torch/checkpoint-weights.js";
export { PickledArray, readNumpyPickle } from "./torch/numpy-pickle.js";
export { commonSegment, plainNames, type StateDict, stateDictOf } from "./torch/state-dict.js";
export { type CheckpointValue, isTorchCheckpoint, readTorchCheckpoint } from "./torch/torch-checkpoint.js";

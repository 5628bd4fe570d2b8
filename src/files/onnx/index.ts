export { encodeOnnx, type OnnxWords } from "./encode-onnx.js";
export { parseOnnx } from "./messages.js";
export { type Float8Form, float8Forms } from "./narrow-types.js";
export type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxType,
  OnnxValue,
} from "./proto.js";
export { onnxType } from "./proto.js";
export { type OnnxFile, readOnnx } from "./read-onnx.js";
export { elementsOf, type OnnxElements, type StoredType, storedTypes } from "./tensor-data.js";
export { parseOnnxTensor } from "./tensor-message.js";

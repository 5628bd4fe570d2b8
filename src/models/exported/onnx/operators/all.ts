import type { OnnxOperators } from "../node.js";
import { arithmetic } from "./arithmetic.js";
import { convolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { making } from "./making.js";
import { matrices } from "./matrices.js";
import { normalization } from "./normalization.js";
import { pooling } from "./pooling.js";
import { quantization } from "./quantization.js";
import { randomOperators } from "./random.js";
import { reductions } from "./reductions.js";
import { resizing } from "./resize.js";
import { shape } from "./shape.js";

/** All operators that are known, by their names in ONNX's own domain. */
export const onnxOperators: OnnxOperators = {
  ...arithmetic,
  ...convolution,
  ...elementwise,
  ...indexing,
  ...making,
  ...matrices,
  ...normalization,
  ...pooling,
  ...quantization,
  ...randomOperators,
  ...reductions,
  ...resizing,
  ...shape,
};

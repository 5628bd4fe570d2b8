import type { OnnxOperators } from "../node.js";
import { attention } from "./attention.js";
import { fused } from "./fused.js";
import { quantizedLayers } from "./quantized-layers.js";

/**
 * Operators of the domain `com.microsoft` that ONNX Runtime's optimizers and quantizers write, as far as they
 * are compositions of ONNX's own.
 *
 * Source: the operators' schemas in ONNX Runtime 1.30.0.
 */
export const microsoftOperators: OnnxOperators = {
  ...attention,
  ...fused,
  ...quantizedLayers,
};

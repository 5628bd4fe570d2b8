import * as z from "zod";
import { unknownName } from "../../base/index.js";
import {
  type BlockQuantization,
  largestLambda,
  quantizationRanges,
  quantizeActivation,
  roundings,
  type Tensor,
} from "../../engine/index.js";
import { Module, type OnnxEdge, type OnnxSketch, type Pass } from "../../nn/index.js";
import { parseOptions } from "../../options/index.js";
import { type QuantizerGradient, quantizerGradients, withGradient } from "./gradients.js";
import { onnxQuantizer } from "./onnx-quantizer.js";

/** Options of a quantizer. */
export const quantizerOptions = z.strictObject({
  lambda: z
    .int()
    .min(1)
    .max(largestLambda)
    .default(1)
    .describe("levels minus one: 1 is binary, 2 ternary, 3 quaternary"),
  range: z
    .enum(quantizationRanges)
    .default("image")
    .describe("elements over which minimum and maximum are taken"),
  rounding: z.enum(roundings).default("stochastic").describe("rounding between two levels"),
});
export type QuantizerOptions = z.output<typeof quantizerOptions>;

/**
 * Quantized activation (Yoon, Park and Kim, Algorithm 1): min-max normalize, scale by lambda, round, scale
 * back. The gradient is straight-through. Keeps the shape (N, C, ...) or (N, F).
 */
export class QuantizedActivation extends Module {
  constructor(
    readonly options: QuantizerOptions,
    /** Tells the noise of several quantizers of one network apart. */
    readonly stream: number,
  ) {
    super();
  }

  override get randomized(): boolean {
    return this.options.rounding === "stochastic";
  }

  /** Ranks know the minimum and maximum of their own images only. */
  override get sharesBatches(): boolean {
    return this.options.range !== "batch";
  }

  override fusedQuantization(pass: Pass): BlockQuantization | null | undefined {
    if (pass.noiseFree) return null;
    const { lambda, range, rounding } = this.options;
    if (range !== "image" || gradientOf(pass) !== "straight-through") return undefined;
    return rounding === "nearest"
      ? { lambda }
      : { lambda, source: { noise: pass.noise, stream: this.stream } };
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    if (pass.noiseFree) return input;
    const output = quantizeActivation(input, this.options, { noise: pass.noise, stream: this.stream });
    const kind = gradientOf(pass);
    return kind === "straight-through" ? output : withGradient(kind, input, output, this.options);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.noiseFree ? input : onnxQuantizer(input, this.options, sketch);
  }
}

function gradientOf({ quantizerGradient = "straight-through" }: Pass): QuantizerGradient {
  const kind = quantizerGradients.find((known) => known === quantizerGradient);
  if (kind === undefined) throw unknownName("quantizer gradient", quantizerGradient, [...quantizerGradients]);
  return kind;
}

/** Quantizer yet to be placed: made for the stream that its place has. */
export type QuantizerFactory = (stream: number) => QuantizedActivation;

/** Quantizer for `placeAfter`: `quantizer({ lambda: 2 })`. */
export function quantizer(options: z.input<typeof quantizerOptions> = {}): QuantizerFactory {
  const checked = parseOptions("quantizer", "quantizer", quantizerOptions, options);
  return (stream) => new QuantizedActivation(checked, stream);
}

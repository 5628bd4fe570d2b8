import { native } from "../native.js";
import { checkLambda, type Noise, noiseWords } from "../noise.js";
import { Tensor } from "../tensor.js";
import { arePlainFloats } from "./plain-floats.js";

/**
 * Manner in which `convBlock` quantizes an image between ReLU and pooling: SQA over the image's own range.
 */
export interface BlockQuantization {
  readonly lambda: number;
  /** The key of stochastic rounding, and the stream of this place; left out for rounding to nearest. */
  readonly source?: { readonly noise: Noise; readonly stream: number };
}

/**
 * Manner in which `convBlock` computes: with SQA where given, and in bfloat16 or, where left out, in float32.
 */
export interface BlockOptions {
  readonly quantization?: BlockQuantization | undefined;
  readonly bfloat16?: boolean | undefined;
}

/** Tells whether `convBlock` takes tensors of these kinds and shapes; it is for float32 on the CPU. */
export function convBlockSupports(input: Tensor, weight: Tensor, bias: Tensor): boolean {
  if (!arePlainFloats([input, weight, bias])) return false;
  if (input.shape.length !== 4 || weight.shape.length !== 4) return false;
  const [, inputs, height, width] = input.shape as [number, number, number, number];
  const outputs = weight.shape[0]!;
  return (
    (inputs === 1 || (inputs > 0 && inputs % 8 === 0)) &&
    outputs > 0 &&
    outputs % 8 === 0 &&
    outputs < 65536 &&
    weight.shape.join() === `${outputs},${inputs},3,3` &&
    bias.shape.join() === `${outputs}` &&
    height >= 2 &&
    width >= 2
  );
}

/**
 * A convolutional block in one pass over each image: convolution 3x3 (padding 1, stride 1) and bias, ReLU,
 * SQA where given, max-pool 2x2.
 *
 * Input (N, in, H, W), weight (out, in, 3, 3) and bias (out), float32 on the CPU, to (N, out, floor(H / 2),
 * floor(W / 2)). `in` is 1 or a multiple of 8, `out` a multiple of 8, H and W are 2 or more; RangeError or
 * TypeError otherwise. Values and gradients are those of the separate operators to rounding, and the same
 * bits for any number of threads.
 *
 * In bfloat16 inputs, weights and gradients are rounded to it before they are multiplied, where `in` is a
 * multiple of 16; sums, SQA, the output and the returned gradients are float32, as all of a block with other
 * numbers of channels is.
 */
export function convBlock(
  input: Tensor,
  weight: Tensor,
  bias: Tensor,
  { quantization, bfloat16 = false }: BlockOptions = {},
): Tensor {
  checkTensors(input, weight, bias);
  const source = quantization?.source;
  if (quantization) checkLambda(quantization.lambda);
  return new Tensor(
    native().convBlock(
      input.handle,
      weight.handle,
      bias.handle,
      bfloat16,
      quantization?.lambda ?? 0,
      source === undefined,
      ...noiseWords(source?.noise, source?.stream),
      source?.noise.imageIds.handle ?? null,
    ),
  );
}

function checkTensors(input: Tensor, weight: Tensor, bias: Tensor): void {
  for (const [name, tensor] of Object.entries({ input, weight, bias })) {
    if (!(tensor instanceof Tensor)) throw new TypeError(`${name} must be a tensor, not ${String(tensor)}`);
    if (tensor.dtype !== "float32" || tensor.device !== "cpu") {
      throw new TypeError(`${name} must be float32 on the CPU, not ${tensor.dtype} on ${tensor.device}`);
    }
  }
  if (!convBlockSupports(input, weight, bias)) {
    const given = [input, weight, bias].map(({ shape }) => `[${shape.join(", ")}]`);
    throw new RangeError(
      "a block takes input [N, in, H >= 2, W >= 2], weight [out, in, 3, 3] and bias [out], with in 1 or a " +
        "multiple of 8 " +
        `and out a multiple of 8, not ${given.join(", ")}`,
    );
  }
}

import { native } from "../native.js";
import { Tensor } from "../tensor.js";

/**
 * Tells whether `tiledConvolution` takes a weight: (out, in, 3, 3), float32 on the CPU, with channels that
 * fill whole vectors of the processor (multiples of 16 with AVX-512, of 8 elsewhere).
 */
export function tilesWeight({ shape, dtype, device }: Tensor): boolean {
  const [filters = 0, channels = 0, ...sides] = shape;
  if (dtype !== "float32" || device !== "cpu" || sides.join() !== "3,3") return false;
  const step = native().tiledChannels();
  return [filters, channels].every((count) => count > 0 && count % step === 0);
}

/** Tells whether it takes a weight and an input: (N, in, H, W), float32 on the CPU. */
export function tiledConvolutionSupports(input: Tensor, weight: Tensor): boolean {
  if (input.dtype !== "float32" || input.device !== "cpu" || input.shape.length !== 4) return false;
  return tilesWeight(weight) && input.shape[1] === weight.shape[1];
}

/**
 * Convolution 3x3 with stride and padding 1, without bias: input (N, in, H, W) and weight (out, in, 3, 3) to
 * (N, out, H, W), float32 on the CPU; TensorError for what `tiledConvolutionSupports` does not have.
 *
 * It goes by tiles of outputs (Winograd's minimal filtering; Lavin and Gray 2015), forward, back to the input
 * and back to the weight: 36 multiplications where the definition does 144. Values and gradients are
 * libtorch's to rounding, and have the same bits for any number of threads. Gradients of gradients are
 * libtorch's own.
 */
export function tiledConvolution(input: Tensor, weight: Tensor): Tensor {
  return new Tensor(native().tiledConvolution(input.handle, weight.handle));
}

import { native } from "../native.js";
import { Tensor } from "../tensor.js";

/**
 * Tells whether `tiledConvolution` takes these tensors: (N, in, H, W) and (out, in, 3, 3), float32 on the
 * CPU, with channels that fill whole vectors of the processor (multiples of 16 with AVX-512, of 8 elsewhere).
 */
export function tiledConvolutionSupports(input: Tensor, weight: Tensor): boolean {
  if (![input, weight].every(({ dtype, device }) => dtype === "float32" && device === "cpu")) return false;
  if (input.shape.length !== 4 || weight.shape.length !== 4) return false;
  const [filters, channels, ...sides] = weight.shape as [number, number, number, number];
  const step = native().tiledChannels();
  const isFilled = [filters, channels].every((count) => count > 0 && count % step === 0);
  return isFilled && sides.join() === "3,3" && input.shape[1] === channels;
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

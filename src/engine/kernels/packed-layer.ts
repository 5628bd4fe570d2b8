import { type Handle, native } from "../native.js";
import { keep } from "../scope.js";
import { sharesMemory, Tensor } from "../tensor.js";

/** Way of a convolution's kernel over an image. */
export interface KernelSteps {
  readonly stride: readonly [down: number, across: number];
  readonly padding: readonly [down: number, across: number];
}

/**
 * Weights of a layer in the order in which its products read them, forward and back. Tensors of the
 * caller's, who disposes them.
 */
export interface PackedWeights {
  readonly forward: Tensor;
  readonly backward: Tensor;
  /** Weights that were packed, not a copy: gradients of gradients are computed from them. */
  readonly weight: Tensor;
  readonly channels: readonly [taken: number, given: number];
  /** Height and width of the kernel, strides and padding, as the addon takes them. */
  readonly geometry: readonly number[];
  readonly isLinear: boolean;
}

/** Work of a packed layer behind its product. */
export interface PackedLayerOptions {
  /** Added to each output channel: (channels given). */
  readonly bias?: Tensor | undefined;
  /** Added to the output, of whose shape it is. */
  readonly residual?: Tensor | undefined;
  /** Applies ReLU last; false where left out. */
  readonly relu?: boolean | undefined;
}

const onePixel: KernelSteps = { stride: [1, 1], padding: [0, 0] };

/**
 * Packs the weights of a convolution, (given, taken, height, width), or of a linear layer, (given, taken).
 * Float32 on the CPU; a TensorError says what else was given.
 *
 * @param images height and width of the images that the layer is to be fastest for; it takes others too
 */
export function packWeights(
  weight: Tensor,
  { stride, padding }: KernelSteps = onePixel,
  images: readonly [height: number, width: number] = [1, 1],
): PackedWeights {
  const [given = 0, taken = 0, ...sides] = weight.shape;
  const isLinear = sides.length === 0;
  const geometry = [...(isLinear ? [1, 1] : sides), ...stride, ...padding];
  const [forward, backward] = native().packWeights(weight.handle, geometry, images);
  return {
    forward: keep(new Tensor(forward)),
    backward: keep(new Tensor(backward)),
    weight,
    channels: [taken, given],
    geometry,
    isLinear,
  };
}

/**
 * ReLU(layer(input) + bias + residual) with constant weights, float32 on the CPU: (N, taken, H, W) to (N,
 * given, H', W'), or (..., taken) to (..., given) of a linear layer. Values and gradients, by the input and
 * the residual alone, are those of the separate operators to rounding, and the same bits for any number of
 * threads. Gradients of gradients are computed by libtorch's operators.
 *
 * Convolutions 3x3 with stride and padding 1 go by Winograd's minimal filtering, of 4 x 4 outputs where that
 * multiplies less, else of 2 x 2: 36 multiplications where the definition does 144, or 16 in place of 36.
 */
export function packedLayer(
  input: Tensor,
  { forward, backward, weight, channels, geometry, isLinear }: PackedWeights,
  { bias, residual, relu = false }: PackedLayerOptions = {},
): Tensor {
  const handleOf = (tensor: Tensor | undefined): Handle | null => tensor?.handle ?? null;
  return new Tensor(
    native().packedLayer(
      input.handle,
      handleOf(residual),
      forward.handle,
      backward.handle,
      weight.handle,
      handleOf(bias),
      ...channels,
      geometry,
      isLinear,
      relu,
    ),
  );
}

/**
 * Number of times that a tensor's memory has been written to; NaN, unlike any number and itself, where it is
 * shared with an array (`shareArray`), whose writes nobody counts.
 */
export function versionOf(tensor: Tensor): number {
  if (sharesMemory(tensor)) return Number.NaN;
  return native().version(tensor.handle) + (uncounted.get(tensor) ?? 0);
}

const uncounted = new WeakMap<Tensor, number>();

/**
 * Counts a write to a tensor that its operator does not count. Batch normalization does not, since libtorch
 * would then refuse the way back through it.
 */
export function countWrite(tensor: Tensor): void {
  uncounted.set(tensor, (uncounted.get(tensor) ?? 0) + 1);
}

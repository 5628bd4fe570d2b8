import {
  countedUniform,
  deriveSeed,
  imageIdRange,
  operators as ops,
  type Seed,
  scope,
  type Tensor,
} from "../engine/index.js";
import { BatchNorm2d, Conv2d, Linear } from "./layers.js";

/**
 * A parameter with uniform entries in +-1/sqrt(fan in), PyTorch's default for convolutions and linear layers (Kaiming
 * uniform with a = sqrt(5)), keyed by seed and name.
 */
function uniformParameter(seed: Seed, name: string, shape: readonly number[], fanIn: number): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  const made = scope(() => {
    const noise = { seed: deriveSeed(seed, "initialization", name), draw: 0, imageIds: imageIdRange(0, 1) };
    const values = countedUniform(noise, 0, shape)
      .select(0, 0)
      .mul(2 * bound)
      .sub(bound);
    return shape.length === 4 ? values.contiguous("channelsLast") : values;
  });
  return made.requireGrad();
}

/** A k x k convolution, initialized for a seed and a name. */
export function conv2d(
  seed: Seed,
  name: string,
  sizes: { in: number; out: number; kernel: number; stride?: number; padding?: number; bias?: boolean },
): Conv2d {
  const fanIn = sizes.in * sizes.kernel ** 2;
  const { stride = 1, padding = 0, bias = true } = sizes;
  return new Conv2d(
    uniformParameter(seed, `${name}.weight`, [sizes.out, sizes.in, sizes.kernel, sizes.kernel], fanIn),
    bias ? uniformParameter(seed, `${name}.bias`, [sizes.out], fanIn) : null,
    { stride, padding },
  );
}

/** A fully connected layer, initialized for a seed and a name. */
export function linear(seed: Seed, name: string, sizes: { in: number; out: number }): Linear {
  return new Linear(
    uniformParameter(seed, `${name}.weight`, [sizes.out, sizes.in], sizes.in),
    uniformParameter(seed, `${name}.bias`, [sizes.out], sizes.in),
  );
}

/** Batch normalization that starts as the identity on normalized input. */
export function batchNorm2d(channels: number): BatchNorm2d {
  return new BatchNorm2d(
    ops.ones([channels]).requireGrad(),
    ops.zeros([channels]).requireGrad(),
    ops.zeros([channels]),
    ops.ones([channels]),
  );
}

import { deriveSeed, type Seed } from "../base/index.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  type Noise,
  operators as ops,
  scope,
  type Tensor,
} from "../engine/index.js";
import { BatchNorm2d, Conv2d, Linear } from "./layers.js";

/** A parameter with entries that `draw` makes of noise keyed by seed and name; convolutions' weights lie channels-last. */
function parameter(seed: Seed, name: string, shape: readonly number[], draw: (noise: Noise) => Tensor): Tensor {
  const made = scope(() => {
    const noise = { seed: deriveSeed(seed, "initialization", name), draw: 0, imageIds: imageIdRange(0, 1) };
    const values = draw(noise).select(0, 0);
    return shape.length === 4 ? values.contiguous("channelsLast") : values;
  });
  return made.requireGrad();
}

/** Uniform entries in +-1/sqrt(fan in), PyTorch's default for convolutions and linear layers (Kaiming uniform, a = sqrt(5)). */
function uniformParameter(seed: Seed, name: string, shape: readonly number[], fanIn: number): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(seed, name, shape, (noise) =>
    countedUniform(noise, 0, shape)
      .mul(2 * bound)
      .sub(bound),
  );
}

/** Normal entries of deviation sqrt(2 / fan out) (He et al. 2015, backward form), as ResNets start. */
function normalParameter(seed: Seed, name: string, shape: readonly number[], fanOut: number): Tensor {
  return parameter(seed, name, shape, (noise) => countedNormal(noise, 0, shape).mul(Math.sqrt(2 / fanOut)));
}

/**
 * A k x k convolution, initialized for a seed and a name: uniformly as PyTorch's own, or by Kaiming's normal distribution
 * over the fan out (`initialization: "kaiming-normal"`).
 */
export function conv2d(
  seed: Seed,
  name: string,
  sizes: {
    in: number;
    out: number;
    kernel: number;
    stride?: number;
    padding?: number;
    bias?: boolean;
    initialization?: "uniform" | "kaiming-normal";
  },
): Conv2d {
  const fanIn = sizes.in * sizes.kernel ** 2;
  const { stride = 1, padding = 0, bias = true, initialization = "uniform" } = sizes;
  const shape = [sizes.out, sizes.in, sizes.kernel, sizes.kernel];
  return new Conv2d(
    initialization === "uniform"
      ? uniformParameter(seed, `${name}.weight`, shape, fanIn)
      : normalParameter(seed, `${name}.weight`, shape, sizes.out * sizes.kernel ** 2),
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

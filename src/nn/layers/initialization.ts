import { deriveSeed, type Seed, toSeed } from "../../base/index.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  keep,
  type Noise,
  operators as ops,
  scope,
  type Tensor,
} from "../../engine/index.js";
import type { Module } from "../module.js";
import { nameOf } from "../places.js";

/** Makes the first value of a layer's tensor, given the tensor's name in the network's state. */
type Start = (name: string) => Tensor;

/**
 * Gives a layer tensors that are made when they are first read: by then the layer has a name in its network,
 * which keys what is drawn. So layers of one seed and shape differ, and the same program draws the same
 * weights. They live until they are disposed, in whatever scope they are read first. One that is set before
 * it is read is never made.
 */
export function startWith(layer: Module, starts: Readonly<Record<string, Start | null>>): void {
  for (const [field, start] of Object.entries(starts)) {
    const set = (value: Tensor | null) =>
      void Object.defineProperty(layer, field, {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    if (start === null) {
      set(null);
      continue;
    }
    const get = () => {
      const name = nameOf(layer);
      const made = keep(start(name === "" ? field : `${name}.${field}`));
      set(made);
      return made;
    };
    Object.defineProperty(layer, field, { get, set, enumerable: true, configurable: true });
  }
}

/**
 * A parameter of what `draw` makes of noise keyed by seed and name; convolutions' weights lie channels-last.
 */
function drawn(given: number | Seed, shape: readonly number[], draw: (noise: Noise) => Tensor): Start {
  const seed = toSeed(given);
  return (name) => {
    const made = scope(() => {
      const noise = { seed: deriveSeed(seed, "initialization", name), draw: 0, imageIds: imageIdRange(0, 1) };
      const values = draw(noise).select(0, 0);
      return shape.length === 4 ? values.contiguous("channelsLast") : values;
    });
    return made.requireGrad();
  };
}

/**
 * Uniform in +-1/sqrt(fan in), PyTorch's default for convolutions and linear layers (Kaiming uniform, a =
 * sqrt(5)).
 */
export function uniformStart(seed: number | Seed, shape: readonly number[], fanIn: number): Start {
  const bound = 1 / Math.sqrt(fanIn);
  return drawn(seed, shape, (noise) =>
    countedUniform(noise, 0, shape)
      .mul(2 * bound)
      .sub(bound),
  );
}

/** Normal of deviation sqrt(2 / fan out) (He et al. 2015, backward form), as ResNets start. */
export function normalStart(seed: number | Seed, shape: readonly number[], fanOut: number): Start {
  return drawn(seed, shape, (noise) => countedNormal(noise, 0, shape).mul(Math.sqrt(2 / fanOut)));
}

/** A parameter of ones, or of zeros. */
export function constantStart(value: 0 | 1, shape: readonly number[]): Start {
  return () => bufferStart(value, shape)("").requireGrad();
}

/** A tensor of ones, or of zeros, which training does not change by gradients. */
export function bufferStart(value: 0 | 1, shape: readonly number[]): Start {
  return () => (value === 1 ? ops.ones(shape) : ops.zeros(shape));
}

import {
  type KernelSteps,
  keep,
  noGrad,
  type PackedWeights,
  packWeights,
  scope,
  type Tensor,
  versionOf,
} from "../../engine/index.js";

/** Tensors of a layer, and of the batch normalization behind it: each undefined where there is none. */
export interface PackingTensors {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** Scale, shift, mean and variance; empty for none. */
  readonly normalization: readonly (Tensor | undefined)[];
}

/** Weights and bias of a layer with batch normalization folded in, its factors computed in float64. */
function folded(
  { weight, bias, normalization }: PackingTensors,
  epsilon: number,
): readonly [weight: Tensor, bias: Tensor | undefined] {
  const [scale, shift, mean, variance] = normalization;
  if (mean === undefined || variance === undefined) return [weight, bias?.clone()];
  const exact = (tensor: Tensor) => tensor.to("float64");
  const deviation = exact(variance).add(epsilon).sqrt();
  const factor = scale === undefined ? deviation.reciprocal() : exact(scale).div(deviation);
  const centered = bias === undefined ? exact(mean).neg() : exact(bias).sub(exact(mean));
  const moved = centered.mul(factor);
  const sides = weight.shape.slice(1).map(() => 1);
  return [
    weight.mul(factor.to("float32").reshape([-1, ...sides])),
    (shift === undefined ? moved : moved.add(exact(shift))).to("float32"),
  ];
}

/** Layer's weights with batch normalization folded in, as its products read them. */
export interface Packed {
  readonly weights: PackedWeights;
  readonly bias: Tensor | undefined;
}

/**
 * Packed weights of one layer, made anew when a tensor that they come of is another or was written to.
 *
 * @param steps way of the kernel
 * @param epsilon added to the variance of a batch normalization
 * @param rounded rounds weights and bias to bfloat16
 */
export class Packing {
  #of: readonly Tensor[] = [];
  #versions: readonly number[] = [];
  #packed: Packed | undefined;

  constructor(
    readonly steps: KernelSteps,
    readonly epsilon = 0,
    readonly rounded = false,
  ) {}

  /** Weights for an input of this shape, packed for the sides of the first. */
  of(tensors: PackingTensors, shape: readonly number[]): Packed {
    const { weight, bias, normalization } = tensors;
    const all = [weight, bias, ...normalization].filter((tensor) => tensor !== undefined);
    const versions = all.map(versionOf);
    const isSame =
      all.length === this.#of.length &&
      all.every((tensor, i) => tensor === this.#of[i] && versions[i] === this.#versions[i]);
    if (this.#packed === undefined || !isSame) {
      this.dispose();
      this.#packed = noGrad(() => scope(() => this.#pack(tensors, shape)));
      [this.#of, this.#versions] = [all, versions];
    }
    return this.#packed;
  }

  dispose(): void {
    const { weights, bias } = this.#packed ?? {};
    const isFolded = weights !== undefined && !this.#of.includes(weights.weight);
    const made = [weights?.forward, weights?.backward, isFolded ? weights.weight : undefined, bias];
    for (const tensor of made) tensor?.dispose();
    this.#packed = undefined;
  }

  #pack(tensors: PackingTensors, shape: readonly number[]): Packed {
    const round = (tensor: Tensor) => (this.rounded ? tensor.to("bfloat16").to("float32") : tensor);
    const [kernel, shift] = folded(tensors, this.epsilon);
    const [height = 1, width = 1] = kernel.shape.length === 2 ? [] : shape.slice(-2);
    const taken = round(kernel);
    if (taken !== tensors.weight) keep(taken);
    const weights = packWeights(taken, this.steps, [height, width]);
    return { weights, bias: shift && keep(round(shift)) };
  }
}

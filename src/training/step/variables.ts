import type { Seed } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";

/**
 * Purposes of a step's noise: to vary its images, in its passes, in those of its attack, and for the attack's
 * own draws.
 */
const noiseKinds = ["augmentation", "passes", "attackModel", "attackNoise"] as const;
export type NoiseKind = (typeof noiseKinds)[number];

/** Seeds of noise, and what its draws are counted from. */
export type StepNoise = Readonly<Record<NoiseKind, { readonly seed: Seed; readonly draw: number }>>;

/** Numbers that change from step to step. */
export interface StepNumbers {
  /** Place of its loss among those that were not read yet. */
  readonly slot: number;
  /** Seed of its attack. */
  readonly attackSeed: Seed;
  readonly noise: StepNoise;
  /** Its images' positions in the split, no more than a batch. */
  readonly positions: Int32Array;
  /** Those of the optimizer and of the average. */
  readonly factors: readonly number[];
}

/**
 * The numbers of the current step as two tensors on the device: the step's work reads them there, so it is
 * the same work at every step, and a captured graph can repeat it.
 */
export class StepVariables {
  /** int64 (1). */
  readonly slot: Tensor;
  /** Seeds as `Noise` takes them, int64 (3) each. */
  readonly seeds: Readonly<Record<NoiseKind, Tensor>>;
  /** float32, without axes. */
  readonly factors: readonly Tensor[];
  #attackSeed: Seed = { low: 0, high: 0 };
  readonly #integers: Tensor;
  readonly #reals: Tensor;
  readonly #positions: Tensor;

  constructor({ batchSize, factors }: { batchSize: number; factors: number }, device: string) {
    const first = 1 + 3 * noiseKinds.length;
    this.#integers = ops.zeros([first + batchSize], "int64", device);
    this.#reals = ops.zeros([factors], "float32", device);
    const integers = (from: number, to: number) => this.#integers.slice(0, from, to);
    this.slot = integers(0, 1);
    const seeds = noiseKinds.map((kind, i) => [kind, integers(1 + 3 * i, 4 + 3 * i)] as const);
    this.seeds = Object.fromEntries(seeds) as Record<NoiseKind, Tensor>;
    this.#positions = integers(first, first + batchSize);
    this.factors = Array.from({ length: factors }, (_, i) => this.#reals.select(0, i));
  }

  /** Seed of the current step's attack, for methods that read tensors back. */
  get attackSeed(): Seed {
    return this.#attackSeed;
  }

  /**
   * Seed of an attack's purpose, where the tensors lie. An Error for a purpose that a step has no noise for.
   */
  seedOf(purpose: string): Tensor {
    if (purpose === "model") return this.seeds.attackModel;
    if (purpose === "noise") return this.seeds.attackNoise;
    throw new Error(`a step has no noise for purpose "${purpose}"`);
  }

  /** The positions of a batch of `count` images, int64 (count). */
  positions(count: number): Tensor {
    return this.#positions.slice(0, 0, count);
  }

  /**
   * Brings a step's numbers to the device, behind the work that it has yet to do and without waiting for it.
   */
  write({ slot, attackSeed, noise, positions, factors }: StepNumbers): void {
    this.#attackSeed = attackSeed;
    const words = noiseKinds.flatMap((kind) => {
      const { seed, draw } = noise[kind];
      return [seed.low, seed.high, draw];
    });
    const integers = new BigInt64Array(this.#integers.size);
    for (const [i, value] of [slot, ...words, ...positions].entries()) integers[i] = BigInt(value);
    this.#integers.write(integers);
    this.#reals.write(Float32Array.from(factors));
  }

  dispose(): void {
    const views = [this.slot, ...Object.values(this.seeds), ...this.factors, this.#positions];
    for (const value of [...views, this.#integers, this.#reals]) value.dispose();
  }
}

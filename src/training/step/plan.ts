import { attackSeed } from "../../attacks/index.js";
import { deriveSeed, permutation, type Seed } from "../../base/index.js";
import type { StepNoise } from "./variables.js";

/** Choices that a plan goes by. */
export interface PlanOptions {
  readonly seed: Seed;
  /** Positions of the images to train on. */
  readonly positions: Int32Array;
  readonly batchSize: number;
  /** Name of the training method, by which its noise is keyed. */
  readonly method: string;
}

/**
 * Images that each step of a run takes, and the keys of its noise: all by the step alone, so a resumed run
 * needs no more.
 */
export class StepPlan {
  readonly stepsPerEpoch: number;
  /** Images of a whole batch. */
  readonly largestBatch: number;
  readonly #options: PlanOptions;
  #order: { epoch: number; positions: Int32Array } | undefined;

  constructor(options: PlanOptions) {
    this.#options = options;
    this.largestBatch = Math.min(options.batchSize, options.positions.length);
    this.stepsPerEpoch = Math.ceil(options.positions.length / options.batchSize);
  }

  /** Images of the last batch of an epoch, which takes what is left. */
  get smallestBatch(): number {
    const { positions, batchSize } = this.#options;
    return positions.length - (this.stepsPerEpoch - 1) * batchSize;
  }

  /** The positions of a step's images: an epoch takes each once, in an order of its own. */
  positions(step: number): Int32Array {
    const { seed, positions, batchSize } = this.#options;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      const order = permutation(positions.length, deriveSeed(seed, "order", epoch));
      this.#order = { epoch, positions: order.map((index) => positions[index]!) };
    }
    const first = (step % this.stepsPerEpoch) * batchSize;
    return this.#order.positions.subarray(first, first + batchSize);
  }

  /** Seed of a step's attack. */
  attackSeed(step: number): Seed {
    return deriveSeed(this.#options.seed, "perturbation", step);
  }

  noise(step: number): StepNoise {
    const { seed, method } = this.#options;
    const attack = this.attackSeed(step);
    return {
      augmentation: { seed: deriveSeed(seed, "augmentation"), draw: step },
      // Two draws a step: one for the pass of the method's images, one for that of the clean ones.
      passes: { seed: deriveSeed(seed, "noise"), draw: 2 * step },
      attackModel: { seed: attackSeed(attack, method, "model"), draw: 0 },
      attackNoise: { seed: attackSeed(attack, method, "noise"), draw: 0 },
    };
  }
}

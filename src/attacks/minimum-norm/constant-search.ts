import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { type Goal, goalOf, mostSteps, type TargetChoice, unlessAtTarget } from "../contract/options.js";
import type { Victim } from "../contract/victim.js";
import { Closest } from "./closest.js";

/** Options of attacks that weigh the margin against the distance by a constant. */
export const constantOptions = {
  binarySearchSteps: z.int().min(1).max(mostSteps).default(9).describe("constants tried for each image"),
  initialConstant: ratio({ above: 0, max: 1e6 })
    .default(0.001)
    .describe("weight of the margin against the distance at first"),
  kappa: ratio({ min: 0 }).default(0).describe("margin in logits by which a wanted class must lead"),
};

type ConstantOptions = z.output<z.ZodObject<typeof constantOptions>> & { readonly target: TargetChoice };

/** Minimization of margins and distances with a constant (N) for each image. */
export interface Minimization<Options> {
  readonly options: Options;
  readonly victim: Victim;
  readonly images: Tensor;
  readonly goal: Goal;
  readonly constants: Tensor;
  /** Takes the successes of every step. */
  readonly closest: Closest;
}

/**
 * Run of an attack that minimizes once with each constant of the search: the closest success of each image,
 * or the image itself. `minimize` tells who succeeded, bool (N).
 */
export function withEachConstant<Options extends ConstantOptions>(
  minimize: (work: Minimization<Options>) => Tensor,
) {
  return (options: Options, victim: Victim, images: Tensor, labels: Tensor): Tensor => {
    const goal = goalOf(options.target, victim, images, labels);
    const closest = new Closest(images);
    const search = new ConstantSearch(images, options.initialConstant);
    const { constants } = search;
    for (let round = 0; round < options.binarySearchSteps; round++) {
      scope(() => search.update(minimize({ options, victim, images, goal, constants, closest })));
    }
    return unlessAtTarget(goal, images, closest.images);
  };
}

/** Constant beyond which the distance no longer counts, and float32 would overflow. */
const mostConstant = 1e10;

/**
 * Binary search of the constant that weighs each image's margin against its distance (Carlini and Wagner
 * 2017, section V.D). It grows tenfold until there is a success, and then halves the gap.
 */
export class ConstantSearch {
  /** Constants to try next, (N). */
  readonly constants: Tensor;
  readonly #lower: Tensor;
  readonly #upper: Tensor;

  constructor(images: Tensor, initial: number) {
    this.constants = ops.full([images.shape[0]!], initial, "float32", images.device);
    this.#lower = this.constants.zerosLike();
    this.#upper = this.constants.fullLike(Number.POSITIVE_INFINITY);
  }

  /** Takes note of the images, bool (N), whose constants led to a success. */
  update(success: Tensor): void {
    scope(() => {
      const { constants } = this;
      this.#upper.copy_(ops.where(success, this.#upper.minimum(constants), this.#upper));
      this.#lower.copy_(ops.where(success, this.#lower, this.#lower.maximum(constants)));
      const middle = this.#lower.add(this.#upper).div(2);
      const tenfold = constants.mul(10).clamp(undefined, mostConstant);
      constants.copy_(ops.where(this.#upper.isfinite(), middle, tenfold));
    });
  }
}

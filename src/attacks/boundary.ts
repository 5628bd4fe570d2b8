import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { initialTries, queryDraws } from "./contract/query-options.js";
import type { Target } from "./contract/target.js";
import { perImage, perturbationLengths } from "./geometry/perturbation-length.js";
import { attackFromNoise, type Decided, misclassified, toBoundary } from "./search/decisions.js";

const options = z.strictObject({
  norm: z.enum(["linf", "l2"]).default("l2").describe("norm that is minimized"),
  steps: z.int().min(0).default(5000).describe("number of steps, of two decisions each"),
  sphereStep: ratio({ above: 0 })
    .default(0.01)
    .describe("first length of a step around the image, in distances to it; in linf the share of pixels moved"),
  sourceStep: ratio({ above: 0, below: 1 }).default(0.01).describe("first length of a step towards it, in distances"),
  initialTries,
  draws: queryDraws,
});

type Options = z.output<typeof options>;

/** The shares of successes that step lengths are kept at: around the image, and of these towards it. */
const [sphereSuccess, sourceSuccess] = [0.5, 0.25];
/** The factor e^adaptation between the lengths after a success and after a failure. */
const adaptation = 0.1;

/**
 * The boundary attack: the closest misclassified image by labels alone. A random walk on the misclassified side: a step
 * around the image, then one towards it (Brendel, Rauber and Bethge 2018, algorithm 1). Starts from noise; returns images as
 * they are for which no noise is misclassified.
 *
 * Against a randomized network a decision is the majority of `draws` draws, so the result is a boundary case of fresh ones.
 */
// paper: starts at the noise itself, and adapts lengths to the successes of windows; here from the boundary, at each step.
// paper: of l2 alone. In l-infinity a step around the image moves some pixels to an end of the cube of its distance.
export const boundary = defineAttack("boundary", {
  summary: "closest misclassified image by labels alone, by a random walk along the boundary",
  options,
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: false, randomized: true }),
  run(given, target, images, labels) {
    const all = { target, images, labels, draws: given.draws };
    return attackFromNoise(all, given.initialTries, (some, points) => walk(given, some, points));
  },
});

/** Moves misclassified points (M, C, H, W), in place, ever closer to their images. */
function walk(given: Options, some: Decided, points: Tensor): void {
  const { images, target } = some;
  const { norm } = given;
  points.copy_(toBoundary(some, points, norm));
  const sphereSteps = lengthsOf(points, norm).fullLike(given.sphereStep);
  const sourceSteps = sphereSteps.fullLike(given.sourceStep);
  const { around, shortened } = moves[norm];
  for (let step = 0; step < given.steps; step++) {
    scope(() => {
      const aside = around(target, points.sub(images), sphereSteps, given.initialTries + step);
      // The pixel range only brings a point closer to the image.
      const beside = images.add(aside).clamp(0, 1);
      const closer = images.add(shortened(beside.sub(images), sourceSteps));
      const sphere = perImage(misclassified(some, beside));
      const source = perImage(misclassified(some, closer));
      points.copy_(ops.where(source, closer, points));
      adapt(sphereSteps, sphere, sphereSuccess);
      adapt(sourceSteps, source, sourceSuccess, sphere);
    });
  }
}

/** How a perturbation (M, C, H, W) moves by shares (M, 1, 1, 1) of its length. */
interface Moves {
  /** At random, to about the same length. */
  around(target: Target, perturbation: Tensor, shares: Tensor, stream: number): Tensor;
  /** To a length that is less by the shares. */
  shortened(perturbation: Tensor, shares: Tensor): Tensor;
}

const moves: Readonly<Record<Options["norm"], Moves>> = {
  linf: {
    around(target, perturbation, shares, stream) {
      const drawn = target.uniform(perturbation.shape.slice(1), -1, 1, stream);
      const ends = drawn.sign().mul(lengthsOf(perturbation, "linf"));
      return ops.where(drawn.abs().lt(shares), ends, perturbation);
    },
    shortened(perturbation, shares) {
      const lengths = lengthsOf(perturbation, "linf").mul(shares.neg().add(1));
      return perturbation.clampTensor(lengths.neg(), lengths);
    },
  },
  l2: {
    around(target, perturbation, shares, stream) {
      const lengths = lengthsOf(perturbation, "l2");
      const direction = perturbation.div(lengths);
      const noise = target.normal(perturbation.shape.slice(1), stream);
      const sideways = noise.sub(direction.mul(noise.mul(direction).sumDim([1, 2, 3], true)));
      const moved = perturbation.add(sideways.mul(lengths.mul(shares).div(lengthsOf(sideways, "l2"))));
      return moved.mul(lengths.div(lengthsOf(moved, "l2")));
    },
    shortened: (perturbation, shares) => perturbation.mul(shares.neg().add(1)),
  },
};

/** The length of each perturbation, (M, 1, 1, 1); no division by it fails. */
function lengthsOf(perturbations: Tensor, norm: Options["norm"]): Tensor {
  return perImage(perturbationLengths(perturbations, norm)).clamp(1e-12);
}

/** Lengthens steps (M, 1, 1, 1) where they succeed and shortens them where not, in place, in the rows that `counts` says. */
function adapt(steps: Tensor, success: Tensor, wanted: number, counts?: Tensor): void {
  const changes = success.to("float32").sub(wanted).mul(adaptation);
  steps.mul_((counts === undefined ? changes : changes.mul(counts)).exp());
  steps.clamp_(1e-9, 0.5);
}

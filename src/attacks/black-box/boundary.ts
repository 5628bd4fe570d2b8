import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { stepsOption } from "../contract/options.js";
import type { Victim } from "../contract/victim.js";
import { perImage, perturbationLengths } from "../geometry/norms.js";
import { attackFromNoise, type Decided, initialTries, misclassified, toBoundary } from "./decisions.js";
import { queryDraws } from "./query-search.js";

const options = z.strictObject({
  norm: z.enum(["linf", "l2"]).default("l2").describe("norm that is minimized"),
  steps: stepsOption(5000).describe("number of steps, of two decisions each"),
  sphereStep: ratio({ above: 0, max: 1 })
    .default(0.01)
    .describe(
      "initial length of a step around the image, as a share of the distance; in linf the share of pixels moved",
    ),
  sourceStep: ratio({ above: 0, below: 1 })
    .default(0.01)
    .describe("initial length of a step toward it, as a share of the distance"),
  initialTries,
  draws: queryDraws,
});

type Options = z.output<typeof options>;

/** Shares of successes at which step lengths are kept: around the image, and of these towards it. */
const [sphereSuccess, sourceSuccess] = [0.5, 0.25];
/** Factor e^adaptation between the lengths after a success and after a failure. */
const adaptation = 0.1;

/**
 * Boundary attack: the closest misclassified image by labels alone. A random walk on the misclassified side:
 * a step around the image, then a step towards it (Brendel, Rauber and Bethge 2018, algorithm 1). Starts from
 * noise; images for which no noise is misclassified are returned as they are.
 *
 * Against a randomized classifier the majority of `draws` draws decides, so the result is a boundary case of
 * fresh ones.
 */
// paper: starts at the noise itself, and adapts lengths to windows of steps. Here it starts at the boundary,
// and adapts them at each step.
// paper: knows l2 alone. In l-infinity a step around the image moves some pixels to an end of the cube of its
// distance.
export const boundary = defineAttack("boundary", {
  summary: "closest misclassified image by labels alone, by a random walk along the boundary",
  options,
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: false, randomized: true }),
  run(options, victim, images, labels) {
    const all = { victim, images, labels, draws: options.draws };
    return attackFromNoise(all, options.initialTries, (part, points) => walk(options, part, points));
  },
});

/** Moves misclassified points (M, C, H, W), in place, ever closer to their images. */
function walk(options: Options, part: Decided, points: Tensor): void {
  const { images, victim } = part;
  const { norm } = options;
  points.copy_(toBoundary(part, points, norm));
  const sphereSteps = lengthsOf(points, norm).fullLike(options.sphereStep);
  const sourceSteps = sphereSteps.fullLike(options.sourceStep);
  const { around, shortened } = moves[norm];
  for (let step = 0; step < options.steps; step++) {
    scope(() => {
      const aside = around(victim, points.sub(images), sphereSteps, options.initialTries + step);
      // The pixel range only brings a point closer to the image.
      const beside = images.add(aside).clamp(0, 1);
      const closer = images.add(shortened(beside.sub(images), sourceSteps));
      const sphere = perImage(misclassified(part, beside));
      const source = perImage(misclassified(part, closer));
      points.copy_(ops.where(source, closer, points));
      adapt(sphereSteps, sphere, sphereSuccess);
      adapt(sourceSteps, source, sourceSuccess, sphere);
    });
  }
}

/** Moves of a perturbation (M, C, H, W) by shares (M, 1, 1, 1) of its length. */
interface Moves {
  /** Moves it at random, to about the same length. */
  around(victim: Victim, perturbation: Tensor, shares: Tensor, stream: number): Tensor;
  /** Shortens it by the shares. */
  shortened(perturbation: Tensor, shares: Tensor): Tensor;
}

const moves: Readonly<Record<Options["norm"], Moves>> = {
  linf: {
    around(victim, perturbation, shares, stream) {
      const drawn = victim.uniform(perturbation.shape.slice(1), -1, 1, stream);
      const ends = drawn.sign().mul(lengthsOf(perturbation, "linf"));
      return ops.where(drawn.abs().lt(shares), ends, perturbation);
    },
    shortened(perturbation, shares) {
      const lengths = lengthsOf(perturbation, "linf").mul(shares.neg().add(1));
      return perturbation.clampTensor(lengths.neg(), lengths);
    },
  },
  l2: {
    around(victim, perturbation, shares, stream) {
      const lengths = lengthsOf(perturbation, "l2");
      const direction = perturbation.div(lengths);
      const noise = victim.normal(perturbation.shape.slice(1), stream);
      const sideways = noise.sub(direction.mul(noise.mul(direction).sumDim([1, 2, 3], true)));
      const moved = perturbation.add(sideways.mul(lengths.mul(shares).div(lengthsOf(sideways, "l2"))));
      return moved.mul(lengths.div(lengthsOf(moved, "l2")));
    },
    shortened: (perturbation, shares) => perturbation.mul(shares.neg().add(1)),
  },
};

/** Length of each perturbation, (M, 1, 1, 1), by which one can divide. */
function lengthsOf(perturbations: Tensor, norm: Options["norm"]): Tensor {
  return perImage(perturbationLengths(perturbations, norm)).clamp(1e-12);
}

/**
 * Lengthens steps (M, 1, 1, 1) where they succeed and shortens them where not, in place, in the rows that
 * count.
 */
function adapt(steps: Tensor, success: Tensor, wanted: number, counts?: Tensor): void {
  const changes = success.to("float32").sub(wanted).mul(adaptation);
  steps.mul_((counts === undefined ? changes : changes.mul(counts)).exp());
  steps.clamp_(1e-9, 0.5);
}

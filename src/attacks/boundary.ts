import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { initialTries, queryDraws } from "./contract/query-options.js";
import { l2Norms } from "./geometry/ball.js";
import { perImage } from "./geometry/perturbation-length.js";
import { attackFromNoise, type Decided, misclassified, toBoundary } from "./search/decisions.js";

const options = z.strictObject({
  steps: z.int().min(0).default(5000).describe("number of steps, of two decisions each"),
  sphereStep: ratio({ above: 0 }).default(0.01).describe("first length of a step around the image, in distances to it"),
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
 * The boundary attack: the closest misclassified image in l2 by labels alone. A random walk on the misclassified side: a step
 * around the image, then one towards it (Brendel, Rauber and Bethge 2018, algorithm 1). Starts from noise; returns images as
 * they are for which no noise is misclassified.
 *
 * Against a randomized network a decision is the majority of `draws` draws, so the result is a boundary case of fresh ones.
 */
// paper: starts at the noise itself, and adapts lengths to the successes of windows; here from the boundary, at each step.
export const boundary = defineAttack("boundary", {
  summary: "closest misclassified image in l2 by labels alone, by a random walk along the boundary",
  options,
  traits: () => ({ norm: "l2", radius: undefined, usesGradients: false, randomized: true }),
  run(given, target, images, labels) {
    const all = { target, images, labels, draws: given.draws };
    return attackFromNoise(all, given.initialTries, (some, points) => walk(given, some, points));
  },
});

/** Moves misclassified points (M, C, H, W), in place, ever closer to their images. */
function walk(given: Options, some: Decided, points: Tensor): void {
  const { images } = some;
  points.copy_(toBoundary(some, points, "l2"));
  const sphereSteps = l2Norms(points).fullLike(given.sphereStep);
  const sourceSteps = sphereSteps.fullLike(given.sourceStep);
  for (let step = 0; step < given.steps; step++) {
    scope(() => {
      const noise = some.target.normal(images.shape.slice(1), given.initialTries + step);
      const around = aroundImage(images, points, noise, sphereSteps);
      const towards = around.add(images.sub(around).mul(sourceSteps));
      const sphere = perImage(misclassified(some, around));
      const source = perImage(misclassified(some, towards));
      points.copy_(ops.where(source, towards, points));
      adapt(sphereSteps, sphere, sphereSuccess);
      adapt(sourceSteps, source, sourceSuccess, sphere);
    });
  }
}

/** Points moved along noise by shares (M, 1, 1, 1) of their distances to the images, which stay as they are. */
function aroundImage(images: Tensor, points: Tensor, noise: Tensor, shares: Tensor): Tensor {
  const away = points.sub(images);
  const distances = l2Norms(away).clamp(1e-12);
  const direction = away.div(distances);
  const sideways = noise.sub(direction.mul(noise.mul(direction).sumDim([1, 2, 3], true)));
  const moved = away.add(sideways.mul(distances.mul(shares).div(l2Norms(sideways).clamp(1e-12))));
  // The pixel range only brings a point closer to the image.
  return images.add(moved.mul(distances.div(l2Norms(moved).clamp(1e-12)))).clamp(0, 1);
}

/** Lengthens steps (M, 1, 1, 1) where they succeed and shortens them where not, in place, in the rows that `counts` says. */
function adapt(steps: Tensor, success: Tensor, wanted: number, counts?: Tensor): void {
  const changes = success.to("float32").sub(wanted).mul(adaptation);
  steps.mul_((counts === undefined ? changes : changes.mul(counts)).exp());
  steps.clamp_(1e-9, 0.5);
}

import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { defineAttack } from "./contract/attack.js";
import { initialTries, queryDraws } from "./contract/query-options.js";
import { copiesPerPass, repeated } from "./contract/repeated.js";
import type { Target } from "./contract/target.js";
import { l2Norms } from "./geometry/ball.js";
import { perImage, perturbationLengths } from "./geometry/perturbation-length.js";
import { Closest } from "./search/closest.js";
import { attackFromNoise, type Decided, misclassified, toBoundary } from "./search/decisions.js";

const options = z.strictObject({
  norm: z.enum(["linf", "l2"]).default("l2").describe("norm that is minimized"),
  steps: z.int().min(0).default(40).describe("number of steps"),
  samples: z
    .int()
    .min(1)
    .default(100)
    .describe("decisions by which the boundary's direction is estimated at first; times the root of the step later"),
  initialTries,
  draws: queryDraws,
});

type Options = z.output<typeof options>;

/**
 * HopSkipJump: the closest misclassified image by labels alone. Each step goes to the boundary by bisection, estimates its
 * normal from decisions around there, and jumps along it (Chen, Jordan and Wainwright 2020, algorithm 2). Starts from noise;
 * returns images as they are for which no noise is misclassified.
 *
 * Against a randomized network a decision is the majority of `draws` draws, so the result is a boundary case of fresh ones.
 */
// paper: returns the last point; the closest is returned here, since a jump may land farther away.
export const hopSkipJump = defineAttack("hop-skip-jump", {
  summary: "closest misclassified image by labels alone, along the estimated normal of the boundary",
  options,
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: false, randomized: true }),
  run(given, target, images, labels) {
    const all = { target, images, labels, draws: given.draws };
    return attackFromNoise(all, given.initialTries, (some, points) => approach(given, some, points));
  },
});

/** Moves misclassified points (M, C, H, W), in place, as close to their images as they get. */
function approach(given: Options, some: Decided, points: Tensor): void {
  const { norm, steps, samples, initialTries: firstStream } = given;
  const closest = new Closest(some.images);
  const distance = (of: Tensor) => perturbationLengths(of.sub(some.images), norm);
  const arrive = () => {
    const arrived = toBoundary(some, points, norm);
    closest.keep(arrived, distance(arrived), some.labels.ge(0));
    return arrived;
  };
  let stream = firstStream;
  for (let step = 1; step <= steps; step++) {
    const count = Math.floor(samples * Math.sqrt(step));
    scope(() => {
      const radii = distance(points).mul(some.images.shape[0]! / some.images.size);
      const arrived = arrive();
      const normal = estimateNormal(some, arrived, norm, { count, radii, stream });
      points.copy_(jump(some, arrived, normal, distance(arrived).div(Math.sqrt(step))));
    });
    stream += count;
  }
  scope(arrive);
  points.copy_(closest.images);
}

/** Random directions of each image, before they have length 1. */
const directionsOf = {
  linf: (target: Target, shape: readonly number[], stream: number) => target.uniform(shape, -1, 1, stream),
  l2: (target: Target, shape: readonly number[], stream: number) => target.normal(shape, stream),
};

/** The direction, (M, C, H, W), of steepest ascent in the norm into the misclassified side (equations 12 and 16). */
function estimateNormal(
  some: Decided,
  points: Tensor,
  norm: "linf" | "l2",
  { count, radii, stream }: { count: number; radii: Tensor; stream: number },
): Tensor {
  const shape = points.shape.slice(1);
  const rows = points.shape[0]!;
  const together = copiesPerPass(rows, count);
  const sum = points.zerosLike();
  const signedSum = points.zerosLike();
  const verdicts = radii.zerosLike();
  for (let from = 0; from < count; from += together) {
    scope(() => {
      const part = Math.min(together, count - from);
      const drawn = ops.stack(
        Array.from({ length: part }, (_, i) => directionsOf[norm](some.target, shape, stream + from + i)),
        0,
      );
      const directions = drawn.div(ops.vectorNorm(drawn, 2, [2, 3, 4], true).add(1e-12));
      const asked = directions.mul(perImage(radii)).add(points).clamp(0, 1);
      const copies = repeated(some.target, some.labels, part);
      const success = misclassified({ ...some, ...copies }, asked.flatten(0, 1));
      const signs = success.to("float32").mul(2).sub(1).reshape([part, rows]);
      // Where the pixel range cut a direction, what was asked about counts.
      const taken = asked.sub(points);
      sum.add_(taken.sumDim([0]));
      signedSum.add_(taken.mul(signs.reshape([part, rows, 1, 1, 1])).sumDim([0]));
      verdicts.add_(signs.sumDim([0]));
    });
  }
  const mean = verdicts.div(count);
  // Where all decisions were alike their mean would cancel them.
  const baseline = ops.where(mean.abs().lt(1), mean, mean.zerosLike());
  const normal = signedSum.sub(sum.mul(perImage(baseline)));
  return norm === "l2" ? normal.div(l2Norms(normal).clamp(1e-30)) : normal.sign();
}

/** Halvings after which a jump is given up. */
const halvings = 25;

/** Points moved by the longest of the lengths (M), half of them, a quarter ... that ends misclassified; or not moved. */
function jump(some: Decided, points: Tensor, normal: Tensor, lengths: Tensor): Tensor {
  const result = points.clone();
  const done = some.labels.lt(0);
  for (let i = 0; i < halvings && done.all().item() === 0; i++) {
    scope(() => {
      const candidates = points.add(normal.mul(perImage(lengths.mul(2 ** -i)))).clamp(0, 1);
      const success = misclassified(some, candidates).logicalAnd(done.logicalNot());
      result.copy_(ops.where(perImage(success), candidates, result));
      done.copy_(done.logicalOr(success));
    });
  }
  return result;
}

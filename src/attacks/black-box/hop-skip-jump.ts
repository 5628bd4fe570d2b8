import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import { mostSteps, stepsOption } from "../contract/options.js";
import type { Victim } from "../contract/victim.js";
import { perImage, perturbationLengths, toLength1_ } from "../geometry/norms.js";
import { Closest } from "../minimum-norm/closest.js";
import {
  attackFromNoise,
  type Decided,
  decidedRows,
  initialTries,
  misclassified,
  toBoundary,
} from "./decisions.js";
import { copiesOf, copiesPerPass, queryDraws } from "./query-search.js";

const options = z.strictObject({
  norm: z.enum(["linf", "l2"]).default("l2").describe("norm that is minimized"),
  steps: stepsOption(40),
  samples: z
    .int()
    .min(1)
    .max(mostSteps)
    .default(100)
    .describe("decisions that estimate the boundary's direction at first; later, times the root of the step"),
  initialTries,
  draws: queryDraws,
});

type Options = z.output<typeof options>;

/**
 * HopSkipJump: the closest misclassified image by labels alone. Each step goes to the boundary by bisection,
 * estimates its normal from decisions around there, and jumps along it (Chen, Jordan and Wainwright 2020,
 * algorithm 2). Starts from noise; images for which no noise is misclassified are returned as they are.
 *
 * Against a randomized classifier the majority of `draws` draws decides, so the result is a boundary case of
 * fresh ones.
 */
// paper: returns the last point. Here the closest is, since a jump may land farther away.
export const hopSkipJump = defineAttack("hop-skip-jump", {
  summary: "closest misclassified image by labels alone, along the estimated normal of the boundary",
  options,
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: false, randomized: true }),
  run(options, victim, images, labels) {
    const all = { victim, images, labels, draws: options.draws };
    return attackFromNoise(all, options.initialTries, (part, points) => approach(options, part, points));
  },
});

/** Moves misclassified points (M, C, H, W), in place, as close to their images as they get. */
function approach(options: Options, part: Decided, points: Tensor): void {
  const { norm, steps, samples, initialTries: firstStream } = options;
  const closest = new Closest(part.images);
  const distance = (of: Tensor) => perturbationLengths(of.sub(part.images), norm);
  const arrive = () => {
    const arrived = toBoundary(part, points, norm);
    closest.keep(arrived, distance(arrived), part.labels.ge(0));
    return arrived;
  };
  let stream = firstStream;
  for (let step = 1; step <= steps; step++) {
    const count = Math.floor(samples * Math.sqrt(step));
    scope(() => {
      const radii = distance(points).mul(part.images.shape[0]! / part.images.size);
      const arrived = arrive();
      const normal = estimateNormal(part, arrived, norm, { count, radii, stream });
      points.copy_(jump(part, arrived, normal, distance(arrived).div(Math.sqrt(step))));
    });
    stream += count;
  }
  scope(arrive);
  points.copy_(closest.images);
}

/** Draws random directions of each image, before they have length 1. */
const directionsOf = {
  linf: (victim: Victim, shape: readonly number[], stream: number) => victim.uniform(shape, -1, 1, stream),
  l2: (victim: Victim, shape: readonly number[], stream: number) => victim.normal(shape, stream),
};

/**
 * Direction (M, C, H, W) of steepest ascent in the norm into the misclassified side (equations 12 and 16).
 */
function estimateNormal(
  part: Decided,
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
      const length = Math.min(together, count - from);
      const drawn = ops.stack(
        Array.from({ length }, (_, i) => directionsOf[norm](part.victim, shape, stream + from + i)),
        0,
      );
      const directions = drawn.div(ops.vectorNorm(drawn, 2, [2, 3, 4], true).add(1e-12));
      const asked = directions.mul(perImage(radii)).add(points).clamp(0, 1);
      const copies = copiesOf(part.victim, part.labels, length);
      const success = misclassified({ ...part, ...copies }, asked.flatten(0, 1));
      const signs = success.to("float32").mul(2).sub(1).reshape([length, rows]);
      // Where the pixel range cut a direction, the point that was asked about counts.
      const taken = asked.sub(points);
      sum.add_(taken.sumDim([0]));
      signedSum.add_(taken.mul(signs.reshape([length, rows, 1, 1, 1])).sumDim([0]));
      verdicts.add_(signs.sumDim([0]));
    });
  }
  const mean = verdicts.div(count);
  // Where all decisions were alike their mean would cancel them.
  const baseline = ops.where(mean.abs().lt(1), mean, mean.zerosLike());
  const normal = signedSum.sub(sum.mul(perImage(baseline)));
  if (norm === "linf") return normal.sign();
  toLength1_(normal);
  return normal;
}

/** Halvings after which a jump is given up. */
const halvings = 25;

/**
 * Moves points by the longest of the lengths (M), half of them, a quarter ... that ends misclassified, or not
 * at all.
 */
function jump(part: Decided, points: Tensor, normal: Tensor, lengths: Tensor): Tensor {
  const result = points.clone();
  const done = part.labels.lt(0);
  for (let i = 0; i < halvings; i++) {
    const left = scope(() => done.logicalNot().nonzero().flatten());
    if (left.size === 0) return result;
    scope(() => {
      const [from, along, far] = [points, normal, lengths].map((all) => all.indexSelect(0, left));
      const candidates = from!.add(along!.mul(perImage(far!.mul(2 ** -i)))).clamp(0, 1);
      const success = misclassified(decidedRows(part, left), candidates);
      const hits = success.nonzero().flatten();
      result.indexCopy_(0, left.indexSelect(0, hits), candidates.indexSelect(0, hits));
      done.indexCopy_(0, left, success);
    });
    left.dispose();
  }
  return result;
}

import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { classesFault, leadOf, reaches, stepsOption, targetOption } from "../contract/options.js";
import { constantOptions, type Minimization, withEachConstant } from "./constant-search.js";

const options = z.strictObject({
  steps: stepsOption(1000).describe("steps of FISTA for each constant"),
  learningRate: ratio({ above: 0, max: 1 })
    .default(0.01)
    .describe("length of a step at first; it falls with a square root to 0"),
  beta: ratio({ min: 0, max: 1 })
    .default(0.001)
    .describe("weight of the l1 distance against the squared l2 distance"),
  decisionRule: z
    .enum(["elastic-net", "l1"])
    .default("elastic-net")
    .describe("distance by which the closest success is chosen: beta * l1 + squared l2, or l1"),
  ...constantOptions,
  target: targetOption,
});

type Options = z.output<typeof options>;

/**
 * Elastic-net attack (Chen, Sharma, Zhang, Yi and Hsieh 2018, algorithm 1). FISTA minimizes c * max(z_y -
 * max_{i != y} z_i, -kappa) + squared l2 + beta * l1 of the perturbation. The constant c is searched for each
 * image. Returns the closest success by the decision rule, or the image itself. Targeted to a class t, the
 * margin is max_{i != t} z_i - z_t (equation 4). An image whose label is t stays as it is.
 */
export const ead = defineAttack("ead", {
  summary: "closest misclassified image by l1 and l2 at once, changing few pixels",
  options,
  traits: ({ target }) => ({ norm: "l1", radius: undefined, usesGradients: true, randomized: false, target }),
  fault: (options, { classes }) => classesFault(options, classes),
  run: withEachConstant(minimize),
});

/** Runs FISTA with a constant (N) for each image. */
function minimize({ options, victim, images, goal, constants, closest }: Minimization<Options>): Tensor {
  const { steps, learningRate, beta, kappa, decisionRule } = options;
  const iterate = images.clone();
  const ahead = images.clone();
  const lead = leadOf(goal);
  const fooled = constants.lt(0);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const { gradient } = victim.gradient(ahead, (logits) =>
        lead(logits).neg().clamp(-kappa).mul(constants),
      );
      gradient.add_(ahead.sub(images), 2);
      const moved = ahead.sub(images);
      moved.add_(gradient, -learningRate * Math.sqrt(1 - step / steps));
      const next = images.add(shrink(moved, beta)).clamp(0, 1);
      ahead.copy_(next.add(next.sub(iterate), step / (step + 3)));
      iterate.copy_(next);
      const success = reaches(goal, victim, next, { kappa });
      closest.keep(next, distances(next.sub(images), decisionRule === "l1" ? undefined : beta), success);
      fooled.copy_(fooled.logicalOr(success));
    });
  }
  return fooled;
}

/** Brings every element closer to 0 by `threshold`. */
function shrink(perturbations: Tensor, threshold: number): Tensor {
  return perturbations.sub(perturbations.clamp(-threshold, threshold));
}

/** Distances in l1 (N), or with `beta` those of the elastic net. */
function distances(perturbations: Tensor, beta?: number): Tensor {
  const l1 = ops.vectorNorm(perturbations, 1, [1, 2, 3]);
  return beta === undefined ? l1 : perturbations.square().sumDim([1, 2, 3]).add(l1, beta);
}

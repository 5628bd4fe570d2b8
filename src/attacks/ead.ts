import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { ratio } from "../options/ratio.js";
import { classesOf, type Ends, laterTargetOption, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import type { Target } from "./contract/target.js";
import { Closest } from "./search/closest.js";
import { ConstantSearch } from "./search/constant-search.js";
import { leadOf, wantedClassLeads } from "./search/lead.js";

const options = z.strictObject({
  steps: z.int().min(1).default(1000).describe("steps of FISTA for each constant"),
  learningRate: ratio({ above: 0 })
    .default(0.01)
    .describe("length of a step at first; it falls with a square root to 0"),
  beta: ratio({ min: 0 }).default(0.001).describe("weight of the l1 distance against the squared l2 distance"),
  decisionRule: z
    .enum(["elastic-net", "l1"])
    .default("elastic-net")
    .describe("which success is the closest: by beta * l1 + squared l2, or by l1"),
  binarySearchSteps: z.int().min(1).default(9).describe("constants tried for each image"),
  initialConstant: ratio({ above: 0 }).default(0.001).describe("weight of the margin against the distance at first"),
  kappa: ratio({ min: 0 }).default(0).describe("lead of another class, in logits, that counts as success"),
  target: laterTargetOption,
});

type Options = z.output<typeof options>;

/**
 * The elastic-net attack: FISTA minimizes c * max(z_y - max_{i != y} z_i, -kappa) + squared l2 + beta * l1 of the
 * perturbation (Chen, Sharma, Zhang, Yi and Hsieh 2018, algorithm 1); the constant c is searched for each image. Returns
 * the closest success by the decision rule, or the image as it was. Targeted to a class t, the margin is
 * max_{i != t} z_i - z_t (equation 4), and an image whose label is t stays as it is.
 */
export const ead = defineAttack("ead", {
  summary: "closest misclassified image by l1 and l2 at once, changing few pixels",
  options,
  traits: () => ({ norm: "l1", radius: undefined, usesGradients: true, randomized: false }),
  run(given, target, images, labels) {
    const ends: Ends = { labels, classes: classesOf(given.target, target, images, labels) };
    const closest = new Closest(images);
    const search = new ConstantSearch(images, given.initialConstant);
    for (let round = 0; round < given.binarySearchSteps; round++) {
      scope(() => search.update(minimize(given, target, images, ends, search.constants, closest)));
    }
    return unlessAimedAtLabel(ends, images, closest.images);
  },
});

/** One run of FISTA with a constant (N) for each image; improves `closest` and tells who succeeded, bool (N). */
function minimize(
  { steps, learningRate, beta, kappa, decisionRule }: Options,
  target: Target,
  images: Tensor,
  ends: Ends,
  constants: Tensor,
  closest: Closest,
): Tensor {
  const iterate = images.clone();
  const ahead = images.clone();
  const lead = leadOf(ends);
  const fooled = constants.lt(0);
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const { gradient } = target.gradient(ahead, (logits) => lead(logits).neg().clamp(-kappa).mul(constants));
      gradient.add_(ahead.sub(images), 2);
      const moved = ahead.sub(images);
      moved.add_(gradient, -learningRate * Math.sqrt(1 - step / steps));
      const next = images.add(shrink(moved, beta)).clamp(0, 1);
      ahead.copy_(next.add(next.sub(iterate), step / (step + 3)));
      iterate.copy_(next);
      const success = wantedClassLeads(target, next, ends, { kappa });
      closest.keep(next, distances(next.sub(images), decisionRule === "l1" ? undefined : beta), success);
      fooled.copy_(fooled.logicalOr(success));
    });
  }
  return fooled;
}

/** Every element brought closer to 0 by `threshold`. */
function shrink(perturbations: Tensor, threshold: number): Tensor {
  return perturbations.sub(perturbations.clamp(-threshold, threshold));
}

/** The l1 distance (N), or with `beta` the elastic net's. */
function distances(perturbations: Tensor, beta?: number): Tensor {
  const l1 = ops.vectorNorm(perturbations, 1, [1, 2, 3]);
  return beta === undefined ? l1 : perturbations.square().sumDim([1, 2, 3]).add(l1, beta);
}

import * as z from "zod";
import { operators as ops, scope } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  goalOf,
  lossOf,
  reaches,
  stepsOption,
  targetOption,
  unlessAtTarget,
} from "../contract/options.js";
import { l2Norms, perImage, toLength1_ } from "../geometry/norms.js";
import { Closest } from "./closest.js";

/** Length of the last step; the first is 1. */
const lastStep = 0.01;

/**
 * Decoupled direction and norm: steps up the cross-entropy along its direction, on a sphere around the image.
 * The sphere shrinks when the last point was misclassified and grows when it was not (Rony et al. 2019,
 * algorithm 1). Returns the closest success, or the image itself. Targeted, the steps go down the
 * cross-entropy of the target, which must be predicted, and an image whose label is the target stays as it
 * is.
 */
// paper: also rounds to gray levels at each step; nothing here does.
export const ddn = defineAttack("ddn", {
  summary: "closest misclassified image in l2, on a sphere that shrinks and grows",
  options: z.strictObject({
    steps: stepsOption(300),
    initialNorm: ratio({ above: 0, max: 1000 }).default(1).describe("radius of the sphere at first, in l2"),
    gamma: ratio({ above: 0, below: 1 }).default(0.05).describe("share by which the radius shrinks or grows"),
    target: targetOption,
  }),
  traits: ({ target }) => ({ norm: "l2", radius: undefined, usesGradients: true, randomized: false, target }),
  fault: (options, { classes }) => classesFault(options, classes),
  run({ steps, initialNorm, gamma, ...options }, victim, images, labels) {
    const goal = goalOf(options.target, victim, images, labels);
    const closest = new Closest(images);
    const perturbations = images.zerosLike();
    const anywhere = victim.normal(images.shape.slice(1), 0);
    toLength1_(anywhere);
    const radii = labels.fullLike(initialNorm, "float32");
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const points = images.add(perturbations);
        const { gradient, logits } = victim.gradient(points, lossOf("cross-entropy", goal));
        const success = reaches(goal, victim, points, { logits });
        closest.keep(points, l2Norms(perturbations).flatten(), success);
        radii.mul_(ops.where(success, radii.fullLike(1 - gamma), radii.fullLike(1 + gamma)));
        toLength1_(gradient);
        // A gradient of 0 has no direction; as in the authors' code, a random one takes its place.
        gradient.copy_(ops.where(gradient.abs().amax([1, 2, 3], true).eq(0), anywhere, gradient));
        const decay = (1 + Math.cos((Math.PI * step) / steps)) / 2;
        perturbations.add_(gradient, lastStep + (1 - lastStep) * decay);
        toLength1_(perturbations);
        perturbations.mul_(perImage(radii));
        perturbations.copy_(images.add(perturbations).clamp(0, 1).sub(images));
      });
    }
    return unlessAtTarget(goal, images, closest.images);
  },
});

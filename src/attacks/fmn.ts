import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../engine/index.js";
import { cosine } from "../nn/schedules.js";
import { ratio } from "../options/ratio.js";
import { classesOf, type Ends, laterTargetOption, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack, type Norm } from "./contract/attack.js";
import { l2Norms } from "./geometry/ball.js";
import { nearestInL1 } from "./geometry/l1-projection.js";
import { dualNorm, perImage, perturbationLengths } from "./geometry/perturbation-length.js";
import { Closest } from "./search/closest.js";
import { leadOf, wantedClassLeads } from "./search/lead.js";

/** Where the cosines end that the step size and gamma fall along. */
const [lastStep, lastGamma] = [1e-5, 1e-4];

/**
 * Fast minimum-norm attack: steps up the margin, each projected to a ball whose radius shrinks while the point is
 * misclassified and grows while it is not; until the first success, the radius is what the linearized margin asks for
 * (Pintor et al. 2021, algorithm 1). Returns the closest success, or the image as it was. Targeted, the
 * margin is that of the class over all others, and an image whose label it is stays as it is.
 */
export const fmn = defineAttack("fmn", {
  summary: "closest misclassified image, in a ball that shrinks and grows",
  options: z.strictObject({
    norm: z.enum(["linf", "l2", "l1"]).default("linf").describe("norm that is minimized"),
    steps: z.int().min(1).default(100).describe("number of steps"),
    stepSize: ratio({ above: 0 }).default(1).describe("l2 length of the first step"),
    gamma: ratio({ above: 0, below: 1 }).default(0.05).describe("share by which the radius shrinks or grows at first"),
    target: laterTargetOption,
  }),
  traits: ({ norm }) => ({ norm, radius: undefined, usesGradients: true, randomized: false }),
  run({ norm, steps, stepSize, gamma, target: choice }, target, images, labels) {
    const ends: Ends = { labels, classes: classesOf(choice, target, images, labels) };
    const closest = new Closest(images);
    const points = images.clone();
    const radii = closest.distances.clone();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const { gradient, logits, losses } = target.gradient(points, leadOf(ends));
        const success = wantedClassLeads(target, points, ends, { logits });
        const lengths = perturbationLengths(points.sub(images), norm);
        closest.keep(points, lengths, success);
        const share = cosine(gamma, lastGamma, step / steps);
        const asked = lengths.add(losses.abs().div(perturbationLengths(gradient, dualNorm[norm]).clamp(1e-12)));
        // paper: asks for no more; on a linear piece that is the boundary itself, which rounding leaves on this side.
        const grown = ops.where(closest.distances.isfinite(), radii, asked).mul(1 + share);
        const shrunk = radii.mul(1 - share).minimum(closest.distances);
        radii.copy_(ops.where(success, shrunk, grown));
        const direction = gradient.div(l2Norms(gradient).clamp(1e-12));
        points.add_(direction, cosine(stepSize, lastStep, step / steps));
        points.copy_(projections[norm](images, points, perImage(radii)).clamp(0, 1));
      });
    }
    return unlessAimedAtLabel(ends, images, closest.images);
  },
});

/** Points (N, C, H, W) brought to within radii (N, 1, 1, 1) of the images. */
const projections: Readonly<Record<Norm, (images: Tensor, points: Tensor, radii: Tensor) => Tensor>> = {
  linf: (images, points, radii) => points.maximum(images.sub(radii)).minimum(images.add(radii)),
  l2(images, points, radii) {
    const moved = points.sub(images);
    return images.add(moved.mul(radii.div(l2Norms(moved).clamp(1e-12)).clamp(undefined, 1)));
  },
  l1: (images, points, radii) => nearestInL1(images, points, radii.flatten(1)),
};

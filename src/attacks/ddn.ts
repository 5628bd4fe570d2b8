import * as z from "zod";
import { operators as ops, scope } from "../engine/index.js";
import { cosine } from "../nn/schedules.js";
import { ratio } from "../options/ratio.js";
import { type Aim, classesOf, laterTargetOption, lossOf, unlessAimedAtLabel } from "./contract/aim.js";
import { defineAttack } from "./contract/attack.js";
import { l2Norms } from "./geometry/ball.js";
import { perImage } from "./geometry/perturbation-length.js";
import { Closest } from "./search/closest.js";
import { wantedClassLeads } from "./search/lead.js";

/** The last step's length; the first is 1. */
const lastStep = 0.01;

/**
 * Decoupled direction and norm: steps up the cross-entropy along its direction, on a sphere around the image that shrinks
 * when the last point was misclassified and grows when it was not (Rony et al. 2019, algorithm 1). Returns the closest
 * success, or the image as it was. Targeted, the steps go down the cross-entropy of the class, success is that it is
 * predicted, and an image whose label it is stays as it is.
 */
// paper: also rounds to gray levels at each step; nothing here does.
export const ddn = defineAttack("ddn", {
  summary: "closest misclassified image in l2, on a sphere that shrinks and grows",
  options: z.strictObject({
    steps: z.int().min(1).default(300).describe("number of steps"),
    initialNorm: ratio({ above: 0 }).default(1).describe("radius of the sphere at first, in l2"),
    gamma: ratio({ above: 0, below: 1 }).default(0.05).describe("share by which the radius shrinks or grows"),
    target: laterTargetOption,
  }),
  traits: () => ({ norm: "l2", radius: undefined, usesGradients: true, randomized: false }),
  run({ steps, initialNorm, gamma, target: choice }, target, images, labels) {
    const aim: Aim = { loss: "cross-entropy", labels, classes: classesOf(choice, target, images, labels) };
    const closest = new Closest(images);
    const perturbations = images.zerosLike();
    const radii = l2Norms(perturbations).fullLike(initialNorm);
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const points = images.add(perturbations);
        const { gradient, logits } = target.gradient(points, lossOf(aim));
        const success = wantedClassLeads(target, points, aim, { logits });
        closest.keep(points, l2Norms(perturbations).flatten(), success);
        radii.mul_(
          perImage(ops.where(success, radii.flatten().fullLike(1 - gamma), radii.flatten().fullLike(1 + gamma))),
        );
        perturbations.add_(gradient.div(l2Norms(gradient).clamp(1e-12)), cosine(1, lastStep, step / steps));
        perturbations.mul_(radii.div(l2Norms(perturbations).clamp(1e-12)));
        perturbations.copy_(images.add(perturbations).clamp(0, 1).sub(images));
      });
    }
    return unlessAimedAtLabel(aim, images, closest.images);
  },
});

import * as z from "zod";
import { scope, type Tensor } from "../../engine/index.js";
import { ratio } from "../../options/ratio.js";
import { type Aim, classesOf, lossOf, targetOption, unlessAimedAtLabel } from "../contract/aim.js";
import type { Target } from "../contract/target.js";
import { normOption, norms, radiusFitsNorm, radiusOption } from "../geometry/norms.js";

/** Options of the attacks whose gradients have momentum. */
export const momentumOptions = z
  .strictObject({
    epsilon: radiusOption(0.3),
    stepSize: ratio({ min: 0 }).default(0.03).describe("length of a step in the norm"),
    steps: z.int().min(0).default(10).describe("number of steps"),
    decay: ratio({ min: 0 }).default(1).describe("share of the momentum that a step keeps"),
    norm: normOption,
    target: targetOption,
  })
  .refine(...radiusFitsNorm);

/**
 * Ascent on the cross-entropy along m = decay * m + gradient / mean(|gradient|), projected to the ball after each step; the
 * gradient is taken at the image, or with `lookAhead` at image + decay * stepSize * m.
 */
export function momentumAscent(
  { epsilon, stepSize, steps, decay, norm: name, target: choice }: z.output<typeof momentumOptions>,
  lookAhead: boolean,
  target: Target,
  images: Tensor,
  labels: Tensor,
): Tensor {
  const norm = norms[name];
  const ball = norm.ball(images, epsilon);
  const aim: Aim = { loss: "cross-entropy", labels, classes: classesOf(choice, target, images, labels) };
  const adversarial = images.clone();
  const momentum = images.zerosLike();
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const point = lookAhead ? adversarial.add(momentum, decay * stepSize) : adversarial;
      const { gradient } = target.gradient(point, lossOf(aim));
      // paper: divides by the sum; the mean, as in the authors' code, makes the look-ahead about a step long.
      gradient.div_(gradient.abs().meanDim([1, 2, 3], true).clamp(1e-30));
      momentum.mul_(decay);
      momentum.add_(gradient);
      norm.ascend_(adversarial, momentum.clone(), stepSize, ball);
    });
  }
  return unlessAimedAtLabel(aim, images, adversarial);
}

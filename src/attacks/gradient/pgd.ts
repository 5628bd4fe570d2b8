import * as z from "zod";
import { scope } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  goalOf,
  goalRows,
  labelsFrom,
  labelsOption,
  lossOf,
  lossOption,
  mostSteps,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepSizeOption,
  stepsOption,
  targetOption,
  unlessAtTarget,
} from "../contract/options.js";
import { restartsOf, selectionDraws, worstOf } from "../contract/selection.js";
import { norms } from "../geometry/norms.js";

/** Projected gradient descent without steps is random noise, which is an attack of its own. */
const steps = stepsOption(40).meta({
  accepted: "a whole number of at least 1 (for no steps, use the attack noise)",
});

/**
 * Projected gradient descent: steps up the loss, each projected to the ball and to [0, 1] (Madry et al. 2018,
 * equation 2.1). The last iterate of a run counts. Targeted, an image whose label is the target stays as it
 * is.
 */
export const pgd = defineAttack("pgd", {
  summary: "many steps up the loss inside a ball, from a random start",
  options: z
    .strictObject({
      epsilon: radiusOption(0.3),
      stepSize: stepSizeOption("2.5 * epsilon / steps"),
      steps,
      norm: normOption,
      randomStart: z.boolean().default(true).describe("start from a random point of the ball"),
      restarts: z
        .int()
        .min(1)
        .max(mostSteps)
        .default(1)
        .describe("runs, of which each image's worst case is kept"),
      loss: lossOption,
      labels: labelsOption,
      target: targetOption,
      selectionDraws,
    })
    .refine(...radiusFitsNorm),
  traits: ({ norm, epsilon, randomStart, target }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: randomStart,
    target,
  }),
  fault: (options, { classes }) => classesFault(options, classes),
  run(
    { epsilon, steps, stepSize = (2.5 * epsilon) / steps, randomStart, ...options },
    victim,
    images,
    labels,
  ) {
    const norm = norms[options.norm];
    const avoided = labelsFrom(options.labels, victim, images, labels);
    const goal = goalOf(options.target, victim, images, avoided);
    const runs = restartsOf(options.restarts, randomStart || victim.randomized, (part, restart) => {
      const loss = lossOf(options.loss, goalRows(goal, part.rows));
      const ball = norm.ball(part.images, epsilon);
      const adversarial = part.images.clone();
      if (randomStart) {
        scope(() => adversarial.add_(norm.inside(part.victim, images.shape.slice(1), epsilon, restart)));
        ball.project_(adversarial);
      }
      for (let step = 0; step < steps; step++) {
        scope(() => {
          const { gradient } = part.victim.gradient(adversarial, loss);
          norm.ascend_(adversarial, gradient, stepSize, ball);
        });
      }
      return adversarial;
    });
    const adversarial = worstOf(
      runs,
      victim,
      images,
      { labels, target: goal.target },
      options.selectionDraws,
    );
    return unlessAtTarget(goal, images, adversarial);
  },
});

import * as z from "zod";
import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { LevelFacts } from "../../nn/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  labelsFrom,
  labelsOption,
  linfRadius,
  lossOf,
  lossOption,
  stepsOption,
} from "../contract/options.js";
import type { Victim } from "../contract/victim.js";

/** Largest inverse temperature: float32 holds its products with logits. */
const coldest = 1e6;

/** Distance from a level's border, as a share of a level, at which float32 tells the level for sure. */
const inside = 1e-4;

/** Levels that an image's pixels can have within a ball, and the pixels that have them. */
interface Choices {
  /** Pixel nearest to the image's own in each level, (N, C, levels, H, W). */
  readonly pixels: Tensor;
  /** Tells, bool of that shape, which of them lie in the ball. */
  readonly open: Tensor;
}

function choicesOf(images: Tensor, epsilon: number, { count, scale }: LevelFacts): Choices {
  const levels = ops.arange(0, count, 1, "float32", images.device).reshape([count, 1, 1]);
  const own = images.mul(scale).floor().unsqueeze(2);
  const given = images.unsqueeze(2);
  const above = levels.add(inside).div(scale);
  const below = levels.add(1 - inside).div(scale);
  const isOwn = levels.eq(own);
  const pixels = ops.where(isOwn, given, ops.where(levels.gt(own), above, below));
  return { pixels, open: isOwn.logicalOr(pixels.sub(given).abs().le(epsilon)) };
}

/** Logits of the open levels, minus infinity for the others. */
function openOnly(logits: Tensor, { open }: Choices): Tensor {
  return ops.where(open, logits, logits.fullLike(Number.NEGATIVE_INFINITY));
}

/** Gradient with respect to logits of levels, by that with respect to their weights. */
function behindSoftmax(gradient: Tensor, weights: Tensor, coldness: number): Tensor {
  const mean = gradient.mul(weights).sumDim([2], true);
  return gradient.sub(mean).mul(weights).mul(coldness);
}

/** Victim behind its levels, and the levels. RangeError for a classifier without any. */
function behindLevels(victim: Victim) {
  const { levels } = victim;
  if (levels === undefined) throw new RangeError(`attack ls-pga: ${noLevels}`);
  return { levels, behind: victim.as(levels.behind) };
}

const noLevels =
  "the classifier reads no levels of pixels; give a model whose input is thermometer's code, with no " +
  "other transform of the pixels before it";

/**
 * Logit-space projected gradient ascent (Buckman et al. 2018, section 3). A pixel's level is a choice among
 * those within the ball. Logits of the choices go up the gradient of the loss behind a softmax, whose
 * temperature falls; the levels of the largest logits make the image. Of a level's pixels it takes the one
 * nearest to the image's own.
 *
 * A step is the gradient's sign. The published code computes the sign, then steps along the gradient itself,
 * as `step=gradient` does. Next to the normal start those steps are lost, unless `logitStep` is in the
 * hundreds.
 */
// paper: the code's step is the gradient; see above.
// paper: a level counts where a pixel of the ball lies 1e-4 of a level inside it, so that float32 finds it.
export const lsPga = defineAttack("ls-pga", {
  summary: "steps on logits over the levels that encode pixels, as for thermometer codes",
  options: z
    .strictObject({
      epsilon: linfRadius(0.3),
      steps: stepsOption(7),
      logitStep: ratio({ above: 0, max: 1e6 }).default(1).describe("factor of a step of the logits"),
      step: z
        .enum(["sign", "gradient"])
        .default("sign")
        .describe("step of the logits: along the gradient's sign, or along the gradient as published"),
      cooling: ratio({ min: 1, max: 100 })
        .default(1.2)
        .describe("factor of the softmax's inverse temperature, which begins at 1, after each step"),
      randomStart: z
        .boolean()
        .default(true)
        .describe("start from normal logits; else from zeros, which takes step=gradient"),
      loss: lossOption,
      labels: labelsOption,
    })
    .refine(({ randomStart, step }) => randomStart || step === "gradient", {
      path: ["randomStart"],
      message: "signs from equal logits leave levels that tie: give step=gradient",
    }),
  traits: ({ epsilon, randomStart }) => ({
    norm: "linf",
    radius: epsilon,
    usesGradients: true,
    randomized: randomStart,
  }),
  fault: (_, { levels }) => (levels === undefined ? noLevels : undefined),
  run(options, victim, images, labels) {
    const { levels, behind } = behindLevels(victim);
    const loss = lossOf(options.loss, { labels: labelsFrom(options.labels, victim, images, labels) });
    const choices = choicesOf(images, options.epsilon, levels);
    const { shape } = choices.pixels;
    const logits = options.randomStart
      ? victim.normal(shape.slice(1))
      : ops.zeros(shape, "float32", images.device);
    let coldness = 1;
    for (let step = 0; step < options.steps; step++) {
      scope(() => {
        const weights = openOnly(logits, choices).mul(coldness).softmax(2);
        const { gradient } = behind.gradient(weights.flatten(1, 2), loss);
        const ascent = behindSoftmax(gradient.reshape(shape), weights, coldness);
        logits.add_(options.step === "sign" ? ascent.sign() : ascent, options.logitStep);
      });
      coldness = Math.min(coldness * options.cooling, coldest);
    }
    const chosen = openOnly(logits, choices).argmax(2);
    return choices.pixels.gather(2, chosen.unsqueeze(2)).squeeze(2);
  },
});

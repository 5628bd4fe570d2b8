import * as z from "zod";
import { operators as ops } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { classesFault, normOption, radiusFitsNorm, radiusOption, stepsOption } from "../contract/options.js";
import { clearMargin } from "../contract/passes.js";
import type { Victim } from "../contract/victim.js";
import { norms, perImage, perturbationLengths, tiniest } from "../geometry/norms.js";
import { estimateGradient, marginsAfter } from "./gradient-estimate.js";
import { queryDraws, queryLoss, querySearch, samplesOption } from "./query-search.js";
import { signs } from "./squares.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: normOption,
    learningRate: ratio({ above: 0, max: 1 })
      .optional()
      .describe("learning rate of Adam, about a pixel's change in a step (default: 2.5 * epsilon / steps)"),
    steps: stepsOption(100),
    samples: samplesOption(128),
    delta: ratio({ above: 0, max: 1 }).default(0.01).describe("change of every pixel in a query"),
    loss: queryLoss,
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/** Draws -1 or 1 for each pixel, as likely. */
const randomSigns = (victim: Victim, shape: readonly number[], stream: number) =>
  signs(victim.uniform(shape, 0, 1, stream));

const [beta1, beta2] = [0.9, 0.999];

/**
 * Simultaneous perturbation stochastic approximation: Adam on gradients estimated along random signs,
 * projected after each step (Uesato, O'Donoghue, van den Oord and Kohli 2018, algorithm 1). Uses logits
 * alone.
 *
 * A deterministic classifier's images are left as they are once misclassified.
 */
export const spsa = defineAttack("spsa", {
  summary: "Adam on gradients estimated along random signs, without gradients",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  fault: ({ loss }, { classes }) => classesFault({ loss }, classes),
  run({ epsilon, steps, learningRate = (2.5 * epsilon) / steps, delta, ...options }, victim, images, labels) {
    const norm = norms[options.norm];
    const estimate = { ...options, distance: delta, direction: randomSigns };
    const state = {
      images,
      labels,
      adversarial: images.clone(),
      margins: victim.query(images, labels, clearMargin, options.draws),
      // Adam's state has rows, since images leave the batch.
      first: images.zerosLike(),
      second: images.zerosLike(),
      // Size of each image's first gradient that is not 0; the steps do not depend on the loss's scale.
      size: labels.fullLike(0, "float32").reshape([-1, 1, 1, 1]),
    };
    querySearch(victim, state, { steps, accept: "all" }, (part, rows, step) => {
      const gradient = estimateGradient(estimate, part, rows.adversarial, rows.labels, step);
      const sizes = perImage(perturbationLengths(gradient, "linf"));
      rows.size.copy_(ops.where(rows.size.gt(0), rows.size, sizes));
      gradient.div_(rows.size.clamp(tiniest));
      rows.first.mul_(beta1);
      rows.first.add_(gradient, 1 - beta1);
      rows.second.mul_(beta2);
      rows.second.add_(gradient.square(), 1 - beta2);
      const spread = rows.second
        .div(1 - beta2 ** (step + 1))
        .sqrt()
        .add(1e-8);
      const ascent = rows.first.div(1 - beta1 ** (step + 1)).div(spread);
      const candidates = rows.adversarial.add(ascent.mul(learningRate));
      norm.ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: marginsAfter(part, rows, candidates, options.draws) };
    });
    return state.adversarial;
  },
});

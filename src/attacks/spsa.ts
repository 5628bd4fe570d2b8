import * as z from "zod";
import { margin } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { queryDraws, queryLoss, samplesOption } from "./contract/query-options.js";
import type { Target } from "./contract/target.js";
import { normOption, norms, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { estimateGradient, verdict } from "./search/gradient-estimate.js";
import { signs } from "./search/square-places.js";
import { attackStanding } from "./search/standing.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: normOption,
    learningRate: ratio({ min: 0 }).default(0.01).describe("learning rate of Adam, about a pixel's change in a step"),
    steps: z.int().min(0).default(100).describe("number of steps"),
    samples: samplesOption(128),
    delta: ratio({ above: 0 }).default(0.01).describe("change of every pixel in a query"),
    loss: queryLoss,
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/** -1 or 1 for each pixel, as likely. */
const randomSigns = (target: Target, shape: readonly number[], stream: number) =>
  signs(target.uniform(shape, 0, 1, stream));

const [beta1, beta2] = [0.9, 0.999];

/**
 * Simultaneous perturbation stochastic approximation: Adam on gradients estimated along random signs, projected after each
 * step (Uesato, O'Donoghue, van den Oord and Kohli 2018, algorithm 1). Uses logits alone.
 *
 * A deterministic network's images are left as they are once misclassified.
 */
export const spsa = defineAttack("spsa", {
  summary: "Adam on gradients estimated along random signs, without gradients",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon, norm, learningRate, steps, delta, ...estimate }, target, images, labels) {
    const state = {
      images,
      labels,
      adversarial: images.clone(),
      margins: target.query(images, labels, margin, estimate.draws),
      // Adam's state has rows, since images leave the batch.
      first: images.zerosLike(),
      second: images.zerosLike(),
    };
    attackStanding(target, state, { steps, accept: "all" }, (seen, rows, step) => {
      const gradient = estimateGradient(
        { ...estimate, distance: delta, direction: randomSigns },
        seen,
        rows.adversarial,
        rows.labels,
        step,
      );
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
      norms[norm].ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: verdict(seen, rows, candidates, estimate.draws) };
    });
    return state.adversarial;
  },
});

import * as z from "zod";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import {
  classesFault,
  normOption,
  radiusFitsNorm,
  radiusOption,
  stepSizeOption,
  stepsOption,
} from "../contract/options.js";
import { clearMargin } from "../contract/passes.js";
import { norms } from "../geometry/norms.js";
import { estimateGradient, marginsAfter } from "./gradient-estimate.js";
import { queryDraws, queryLoss, querySearch, samplesOption } from "./query-search.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: normOption,
    stepSize: stepSizeOption("2.5 * epsilon / steps"),
    steps: stepsOption(100),
    samples: samplesOption(50),
    sigma: ratio({ above: 0, max: 1 })
      .default(0.001)
      .describe("standard deviation of a pixel's change in a query"),
    // paper: the log-probability, whose differences float32 loses where the classifier is sure.
    loss: queryLoss,
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Projected gradient ascent on gradients estimated by natural evolution strategies: antithetic pairs of
 * Gaussian directions (Ilyas, Engstrom, Athalye and Lin 2018, algorithm 1). Uses logits alone. Where
 * activations are quantized, a `sigma` around 8/255 sees beyond a level.
 *
 * A deterministic classifier's images are left as they are once misclassified.
 */
export const nes = defineAttack("nes", {
  summary: "PGD on gradients estimated by Gaussian finite differences, without gradients",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  fault: ({ loss }, { classes }) => classesFault({ loss }, classes),
  run({ epsilon, steps, stepSize = (2.5 * epsilon) / steps, sigma, ...options }, victim, images, labels) {
    const norm = norms[options.norm];
    const estimate = {
      ...options,
      distance: sigma,
      direction: (of: typeof victim, shape: readonly number[], stream: number) => of.normal(shape, stream),
    };
    const margins = victim.query(images, labels, clearMargin, options.draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    querySearch(victim, state, { steps, accept: "all" }, (part, rows, step) => {
      const gradient = estimateGradient(estimate, part, rows.adversarial, rows.labels, step);
      norm.step_(gradient, rows.adversarial);
      const candidates = rows.adversarial.add(gradient.mul(stepSize));
      norm.ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: marginsAfter(part, rows, candidates, options.draws) };
    });
    return state.adversarial;
  },
});

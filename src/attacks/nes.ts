import * as z from "zod";
import { margin } from "../nn/losses.js";
import { ratio } from "../options/ratio.js";
import { defineAttack } from "./contract/attack.js";
import { queryDraws, queryLoss, samplesOption } from "./contract/query-options.js";
import { normOption, norms, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { estimateGradient, verdict } from "./search/gradient-estimate.js";
import { attackStanding } from "./search/standing.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: normOption,
    stepSize: ratio({ min: 0 }).default(0.01).describe("length of a step in the norm"),
    steps: z.int().min(0).default(100).describe("number of steps"),
    samples: samplesOption(50),
    sigma: ratio({ above: 0 }).default(0.001).describe("standard deviation of a pixel's change in a query"),
    // paper: the log-probability, whose differences float32 loses where the network is sure.
    loss: queryLoss,
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Projected gradient ascent on gradients estimated by natural evolution strategies: antithetic pairs of Gaussian directions
 * (Ilyas, Engstrom, Athalye and Lin 2018, algorithm 1). Uses logits alone. Where activations are quantized, a `sigma` around
 * 8/255 sees beyond a level.
 *
 * A deterministic network's images are left as they are once misclassified.
 */
export const nes = defineAttack("nes", {
  summary: "PGD on gradients estimated by Gaussian finite differences, without gradients",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon, norm: name, stepSize, steps, sigma, ...estimate }, target, images, labels) {
    const norm = norms[name];
    const margins = target.query(images, labels, margin, estimate.draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    attackStanding(target, state, { steps, accept: "all" }, (seen, rows, step) => {
      const gradient = estimateGradient(
        { ...estimate, distance: sigma, direction: (of, shape, stream) => of.normal(shape, stream) },
        seen,
        rows.adversarial,
        rows.labels,
        step,
      );
      norm.step_(gradient, rows.adversarial);
      const candidates = rows.adversarial.add(gradient.mul(stepSize));
      norm.ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: verdict(seen, rows, candidates, estimate.draws) };
    });
    return state.adversarial;
  },
});

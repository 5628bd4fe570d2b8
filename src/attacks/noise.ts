import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { margin } from "../nn/losses.js";
import { defineAttack } from "./contract/attack.js";
import { queryDraws } from "./contract/query-options.js";
import { l2Norms } from "./geometry/ball.js";
import { norms, radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { attackStanding } from "./search/standing.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
    distribution: z
      .enum(["uniform", "gaussian"])
      .default("uniform")
      .describe("of each pixel; gaussian: of standard deviation epsilon / 2, cut to the l-infinity ball"),
    tries: z.int().min(1).default(10).describe("draws of noise, of which each image's worst is kept"),
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Random noise, the worst of several tries for each image: the baseline that any attack must beat. l2 noise has the
 * radius' full length in a random direction.
 */
export const noise = defineAttack("noise", {
  summary: "the worst of several draws of random noise",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon, norm, distribution, tries, draws }, target, images, labels) {
    const margins = target.query(images, labels, margin, draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    attackStanding(target, state, { steps: tries, accept: "better" }, (seen, rows, round) => {
      const shape = rows.images.shape.slice(1);
      const drawn = distribution === "uniform" ? seen.uniform(shape, -1, 1, round) : seen.normal(shape, round);
      const candidates = rows.images.add(scaled(drawn));
      norms[norm].ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: seen.query(candidates, rows.labels, margin, draws) };
    });
    return state.adversarial;

    function scaled(drawn: Tensor): Tensor {
      if (norm === "l2") return drawn.mul(epsilon).div(l2Norms(drawn).add(1e-12));
      return drawn.mul(distribution === "uniform" ? epsilon : epsilon / 2);
    }
  },
});

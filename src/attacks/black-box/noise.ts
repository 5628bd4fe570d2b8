import * as z from "zod";
import type { Tensor } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import { mostSteps, radiusFitsNorm, radiusOption } from "../contract/options.js";
import { clearMargin } from "../contract/passes.js";
import type { Victim } from "../contract/victim.js";
import { l2Norms, norms } from "../geometry/norms.js";
import { queryDraws, querySearch } from "./query-search.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
    distribution: z
      .enum(["uniform", "gaussian", "sign"])
      .default("uniform")
      .describe(
        "distribution of each pixel; gaussian has standard deviation epsilon / 2, cut to the ball; sign is " +
          "plus or minus epsilon",
      ),
    tries: z
      .int()
      .min(1)
      .max(mostSteps)
      .default(10)
      .describe("draws of noise, of which each image's worst is kept"),
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Random noise, the worst of several tries for each image: the baseline that any attack must beat. In l2 its
 * length is the radius, and its direction random.
 */
export const noise = defineAttack("noise", {
  summary: "the worst of several draws of random noise",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon, norm, distribution, tries, draws }, victim, images, labels) {
    const margins = victim.query(images, labels, clearMargin, draws);
    const state = { images, labels, adversarial: images.clone(), margins };
    querySearch(victim, state, { steps: tries, accept: "better" }, (part, rows, round) => {
      const shape = rows.images.shape.slice(1);
      const drawn = drawnBy(part, shape, round);
      const candidates = rows.images.add(scaled(drawn));
      norms[norm].ball(rows.images, epsilon).project_(candidates);
      return { candidates, margins: part.query(candidates, rows.labels, clearMargin, draws) };
    });
    return state.adversarial;

    function drawnBy(part: Victim, shape: readonly number[], round: number): Tensor {
      if (distribution === "gaussian") return part.normal(shape, round);
      const uniform = part.uniform(shape, -1, 1, round);
      return distribution === "sign" ? uniform.ge(0).to("float32").mul(2).sub(1) : uniform;
    }

    function scaled(drawn: Tensor): Tensor {
      if (norm === "l2") return drawn.mul(epsilon).div(l2Norms(drawn).add(1e-12));
      return drawn.mul(distribution === "gaussian" ? epsilon / 2 : epsilon);
    }
  },
});

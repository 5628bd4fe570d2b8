import * as z from "zod";
import { operators as ops } from "../../engine/index.js";
import { ratio } from "../../options/index.js";
import { defineAttack } from "../contract/attack.js";
import { mostSteps, radiusFitsNorm, radiusOption } from "../contract/options.js";
import { clearMargin } from "../contract/passes.js";
import { queryDraws, querySearch } from "./query-search.js";
import { l2Search } from "./square-l2.js";
import { linfSearch } from "./square-linf.js";

const searches = { linf: linfSearch, l2: l2Search } as const;

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
    queries: z.int().min(1).max(mostSteps).default(5000).describe("candidates tried for each image"),
    pInit: ratio({ above: 0, max: 1 })
      .default(0.8)
      .describe("share of the pixels that the first squares change"),
    rescaleSchedule: z
      .boolean()
      .default(false)
      .describe("shrink the squares over the queries given, not over the paper's 10,000"),
    draws: queryDraws,
  })
  .refine(...radiusFitsNorm);

/**
 * Square attack: random search by squares of shrinking size, each kept where it raises the margin
 * (Andriushchenko et al. 2020). Uses logits alone, so that masked gradients do not stop it.
 *
 * Against a randomized classifier the margin is a mean over draws, the same for all candidates.
 */
export const square = defineAttack("square", {
  summary: "random search by squares, without gradients",
  options,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: false, randomized: true }),
  run({ epsilon, norm, queries, draws, ...schedule }, victim, images, labels) {
    const search = searches[norm];
    const [, , height, width] = images.shape as [number, number, number, number];
    const clean = victim.query(images, labels, clearMargin, draws);
    // Whatever is left takes the start, as low as it may lead: squares come on top of it.
    const margins = victim.randomized
      ? clean.fullLike(lowest)
      : ops.where(clean.gt(0), clean, clean.fullLike(lowest));
    const state = { images, labels, adversarial: images.clone(), margins };
    querySearch(victim, state, { steps: queries, accept: "better" }, (part, rows, iteration) => {
      const pixels = squareShare(iteration, { ...schedule, queries }) * height * width;
      const side = Math.max(1, Math.min(search.side(pixels), height, width));
      const candidates =
        iteration === 0
          ? search.start(part, rows.images, epsilon)
          : search.propose(part, rows, side, epsilon, iteration);
      return { candidates, margins: part.query(candidates, rows.labels, clearMargin, draws) };
    });
    return state.adversarial;
  },
});

const lowest = Number.NEGATIVE_INFINITY;

/** Last iteration of each share, out of 10,000; the share halves after each. */
const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];

/** Share of the pixels that a square changes in an iteration (section 4.1). */
export function squareShare(
  iteration: number,
  options: { pInit: number; queries: number; rescaleSchedule: boolean },
): number {
  const place = options.rescaleSchedule ? Math.floor((iteration * 10_000) / options.queries) : iteration;
  return options.pInit / 2 ** halvings.filter((last) => place > last).length;
}

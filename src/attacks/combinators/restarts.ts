import * as z from "zod";
import { defineCombinator, runOf } from "../contract/combinator.js";
import { mostSteps } from "../contract/options.js";
import { restartsOf, selectionDraws } from "../contract/selection.js";
import { bestOf } from "./worst-case.js";

/**
 * Attack run several times with other noise, each image's worst case kept: `restarts(pgd(), { times: 10 })`.
 */
export const restarts = defineCombinator("restarts", {
  summary: "another attack several times, keeping each image's worst case",
  takes: "one attack",
  options: z.strictObject({
    times: z
      .int()
      .min(1)
      .max(mostSteps)
      .default(10)
      .describe("runs, of which each image's worst case is kept"),
    selectionDraws,
  }),
  run({ times, selectionDraws: draws }, [attack], victim, images, labels) {
    const random = attack.traits.randomized || victim.randomized;
    const runs = restartsOf(times, random, (part, restart) => runOf(attack, restart)(part));
    return bestOf(runs, attack.traits, victim, images, labels, draws);
  },
});

import * as z from "zod";
import { proposalOf, selectionDraws, worstProposal } from "../contract/selection.js";
import { defineCombinator } from "./combinator.js";

/** Any attack run several times with other noise, each image's worst case kept: `restarts(pgd(), { times: 10 })`. */
export const restarts = defineCombinator("restarts", {
  summary: "another attack several times, keeping each image's worst case",
  takes: "one attack",
  options: z.strictObject({
    times: z.int().min(1).default(10).describe("runs, of which each image's worst case is kept"),
    selectionDraws,
  }),
  run(options, [attack], target, images, labels) {
    // Without any randomness all runs are the same.
    const times = attack.traits.randomized || target.randomized ? options.times : 1;
    const runs = Array.from({ length: times }, (_, round) => proposalOf(attack, round));
    return worstProposal(runs, target, images, labels, options.selectionDraws);
  },
});

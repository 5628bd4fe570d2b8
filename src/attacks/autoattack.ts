import * as z from "zod";
import type { LossName } from "../nn/losses.js";
import { apgd } from "./apgd.js";
import { apgdT } from "./apgd-t.js";
import { expectation } from "./combinators/expectation.js";
import { type Attack, defineAttack } from "./contract/attack.js";
import { reported } from "./contract/reported.js";
import { type Proposal, proposalOf, selectionDraws, worstProposal } from "./contract/selection.js";
import { fab } from "./fab.js";
import { fabT } from "./fab-t.js";
import { radiusFitsNorm, radiusOption } from "./geometry/norms.js";
import { square } from "./square.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
    version: z
      .enum(["standard", "plus", "rand", "randomized"])
      .default("standard")
      .describe("which attacks; randomized is this project's for randomized networks"),
    steps: z.int().min(1).default(100).describe("steps of APGD and FAB"),
    queries: z.int().min(1).default(5000).describe("queries of Square"),
    targets: z.int().min(1).default(9).describe("classes of the targeted attacks"),
    draws: z.int().min(1).default(20).describe("draws that rand and randomized average over"),
    selectionDraws,
  })
  .refine(...radiusFitsNorm);
type Options = z.output<typeof options>;

/** The attacks of each version, in the published order: cheap ones first. */
const versions: Readonly<Record<Options["version"], (options: Options, classes: number) => Attack[]>> = {
  standard: (given, classes) => [ascent(given, 1), targeted(given, classes), boundaries(given), squares(given)],
  plus: (given, classes) => [
    ascent(given, 5),
    ascent(given, 5, secondLoss(classes)),
    fab({ norm: given.norm, epsilon: given.epsilon, steps: given.steps, restarts: 5 }),
    squares(given),
    targeted(given, classes),
    boundaries(given),
  ],
  rand: (given, classes) => [
    expectation(ascent(given, 1), { draws: given.draws }),
    expectation(ascent(given, 1, secondLoss(classes)), { draws: given.draws }),
  ],
  randomized: (given, classes) => [
    expectation(ascent(given, 1), { draws: given.draws }),
    expectation(ascent(given, 1), { draws: given.draws, mean: "softmax" }),
    expectation(ascent(given, 1, secondLoss(classes)), { draws: given.draws }),
    squares(given),
  ],
};

/** The DLR needs three logits, its targeted form four; of fewer the margin is what can be had. */
const secondLoss = (classes: number) => (classes >= 3 ? "dlr" : "margin");

function ascent({ norm, epsilon, steps }: Options, restarts: number, loss: LossName = "cross-entropy"): Attack {
  return apgd({ norm, epsilon, steps, restarts, loss, stopWhenFooled: true });
}
function targeted({ norm, epsilon, steps, targets }: Options, classes: number): Attack {
  return apgdT({ loss: classes >= 4 ? "dlr" : "margin", norm, epsilon, steps, targets, stopWhenFooled: true });
}
function boundaries({ norm, epsilon, steps, targets }: Options): Attack {
  return fabT({ norm, epsilon, steps, targets });
}
function squares({ norm, epsilon, queries }: Options): Attack {
  return square({ norm, epsilon, queries });
}

/** The images as they are: what is misclassified already needs no attack. */
const asTheyAre: Proposal = (_, images) => images.clone();

/**
 * AutoAttack (Croce and Hein 2020, section 5): several parameter-free attacks, each on the images that are left. `standard`,
 * `plus` and `rand` are the published suites with their budgets.
 *
 * `rand` as published takes a randomized network for fooled when the last of 20 draws is; here no version does, but keeps the
 * candidate of highest mean loss over `selectionDraws` other draws. `randomized` is made for such networks: it also follows the
 * mean softmax, and searches without gradients.
 */
export const autoattack = defineAttack("autoattack", {
  summary: "AutoAttack: APGD, targeted APGD, FAB and Square, each on the images that are left",
  options,
  traits: ({ norm, epsilon, version }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    // The published version for randomized networks is APGD alone.
    searchesToo: version !== "rand",
    randomized: true,
  }),
  run(given, target, images, labels) {
    const proposals = versions[given.version](given, target.classes).map((attack) => proposalOf(reported(attack), 0));
    return worstProposal([asTheyAre, ...proposals], target, images, labels, given.selectionDraws);
  },
});

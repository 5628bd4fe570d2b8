import * as z from "zod";
import type { LossName } from "../nn/index.js";
import { square } from "./black-box/square.js";
import { expectation } from "./combinators/expectation.js";
import { type Attack, defineAttack } from "./contract/attack.js";
import { mostSteps, radiusFitsNorm, radiusOption, stepsOption } from "./contract/options.js";
import { type Run, selectionDraws, worstOf } from "./contract/selection.js";
import { apgd } from "./gradient/apgd.js";
import { apgdT } from "./gradient/apgd-t.js";
import { fab } from "./minimum-norm/fab.js";
import { fabT } from "./minimum-norm/fab-t.js";

const options = z
  .strictObject({
    epsilon: radiusOption(0.3),
    norm: z.enum(["linf", "l2"]).default("linf").describe("norm of the radius"),
    version: z
      .enum(["standard", "plus", "rand", "randomized"])
      .default("standard")
      .describe("suite of attacks; randomized is this project's for randomized classifiers"),
    steps: stepsOption(100).describe("steps of APGD and FAB"),
    queries: z.int().min(1).max(mostSteps).default(5000).describe("queries of Square"),
    targets: z.int().min(1).max(mostSteps).default(9).describe("classes of the targeted attacks"),
    draws: z.int().min(1).max(mostSteps).default(20).describe("draws over which rand and randomized average"),
    selectionDraws,
  })
  .refine(...radiusFitsNorm);
type Options = z.output<typeof options>;

/** Attacks of each version, in the published order: cheap ones first. */
const versions: Readonly<Record<Options["version"], (options: Options, classes: number) => Attack[]>> = {
  standard: (options, classes) => [
    ascent(options, 1),
    targeted(options, classes),
    boundaries(options),
    squares(options),
  ],
  plus: (options, classes) => [
    ascent(options, 5),
    ascent(options, 5, secondLoss(classes)),
    fab({ norm: options.norm, epsilon: options.epsilon, steps: options.steps, restarts: 5 }),
    squares(options),
    targeted(options, classes),
    boundaries(options),
  ],
  rand: (options, classes) => [
    expectation(ascent(options, 1), { draws: options.draws }),
    expectation(ascent(options, 1, secondLoss(classes)), { draws: options.draws }),
  ],
  randomized: (options, classes) => [
    expectation(ascent(options, 1), { draws: options.draws }),
    expectation(ascent(options, 1), { draws: options.draws, mean: "softmax" }),
    expectation(ascent(options, 1, secondLoss(classes)), { draws: options.draws }),
    squares(options),
  ],
};

/** The DLR needs three logits, its targeted form four; with fewer, the margin takes its place. */
const secondLoss = (classes: number) => (classes >= 3 ? "dlr" : "margin");

function ascent(
  { norm, epsilon, steps }: Options,
  restarts: number,
  loss: LossName = "cross-entropy",
): Attack {
  return apgd({ norm, epsilon, steps, restarts, loss, stopWhenFooled: true });
}
function targeted({ norm, epsilon, steps, targets }: Options, classes: number): Attack {
  return apgdT({
    loss: classes >= 4 ? "dlr" : "margin",
    norm,
    epsilon,
    steps,
    targets,
    stopWhenFooled: true,
  });
}
function boundaries({ norm, epsilon, steps, targets }: Options): Attack {
  return fabT({ norm, epsilon, steps, targets });
}
function squares({ norm, epsilon, queries }: Options): Attack {
  return square({ norm, epsilon, queries });
}

/** Images as they are: a misclassified one needs no attack. */
const asTheyAre: Run = ({ images }) => images.clone();

/**
 * AutoAttack (Croce and Hein 2020, section 5): several parameter-free attacks, each on the images that are
 * left. `standard`, `plus` and `rand` are the published suites with their budgets.
 *
 * The published `rand` takes a randomized classifier for fooled when the last of 20 draws is. Here no version
 * does, but keeps the candidate of highest mean loss over `selectionDraws` other draws. `randomized` is made
 * for such classifiers: it also follows the mean softmax, and searches without gradients.
 */
export const autoattack = defineAttack("autoattack", {
  summary: "AutoAttack: APGD, targeted APGD, FAB and Square, each on the images that are still correct",
  options,
  traits: ({ norm, epsilon, version }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    // The published version for randomized classifiers is APGD alone.
    searchesToo: version !== "rand",
    randomized: true,
  }),
  run(options, victim, images, labels) {
    const runs = versions[options.version](options, victim.classes).map(runAndTell);
    return worstOf([asTheyAre, ...runs], victim, images, { labels }, options.selectionDraws);
  },
});

/** Run of an attack with its own noise, of which the context's `onPart` is told. */
function runAndTell(attack: Attack): Run {
  return ({ victim, images, labels }) => {
    const { passes, onPart } = victim.context;
    const [forward, backward] = [passes?.forward ?? 0, passes?.backward ?? 0];
    const adversarial = victim.run(attack, images, labels);
    const used = passes && { forward: passes.forward - forward, backward: passes.backward - backward };
    onPart?.({ name: attack.name, images: images.shape[0]!, passes: used });
    return adversarial;
  };
}

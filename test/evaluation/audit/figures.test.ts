import { expect, it } from "vitest";
import { pgd } from "../../../src/attacks/index.js";
import { fixedSeedTrials } from "../../../src/evaluation/audit/checks/randomness/fixed-seed.js";
import { fixedSeedOf } from "../../../src/evaluation/audit/report/figures.js";
import { Answers, type Trial, type TrialResult, trialOf, wilson } from "../../../src/trials/index.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { planOf } from "./tiny-audit.js";

const images = 100;

/** Outcome of a trial that leaves so many images correct. */
function leavingIn(trial: Trial, correct: number): TrialResult {
  const answers = new Answers(images, 1);
  answers.halves[0].fill(1, 0, correct);
  const facts = {
    lengths: [],
    norm: "linf",
    passes: { forward: 0, backward: 0 },
    seconds: 0,
    stops: [],
  } as const;
  return { trial, answers, ...facts };
}

it("the accuracy on fixed seeds is the mean over all seeds of the budget, and over no other trial", () => {
  const plan = planOf({ ...tinyCnn, randomized: true });
  const seeds = fixedSeedTrials({ ...plan, budget: { ...plan.budget, seeds: 2 } });
  const [first, second] = [leavingIn(seeds[0]!, 40), leavingIn(seeds[1]!, 20)];
  const own = trialOf({ attack: pgd({ epsilon: 0.05 }), on: "fixed-seed:7", shownTo: "fixed-seed:7" });
  const of = (count: number, trials: readonly TrialResult[], randomized = true) => {
    const budget = { ...plan.budget, seeds: count };
    const players = { model: { ...tinyCnn, randomized } };
    return fixedSeedOf({ ...plan, budget, players }, { trials, images });
  };
  expect(of(2, [first, leavingIn(own, 100), second])!.accuracy).toBeCloseTo(0.3, 12);
  // The attack on the other seed ended in an error.
  expect(of(2, [first])).toBeUndefined();
  expect(of(1, [first])).toEqual(wilson(40, 100));
  expect(of(0, [leavingIn(own, 100)])).toBeUndefined();
  expect(of(2, [leavingIn(own, 100)], false)).toBeUndefined();
});

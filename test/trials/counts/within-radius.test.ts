import { describe, expect, it } from "vitest";
import { fmn, pgd } from "../../../src/attacks/index.js";
import {
  Answers,
  clean,
  type Trial,
  type TrialResult,
  trialOf,
  whiteBox,
  withinRadius,
  worstWithin,
} from "../../../src/trials/index.js";

/** Outcome of a trial that leaves images with lengths correct (1) or wrong (0), in a single draw. */
function outcome(trial: Trial, correct: readonly number[], lengths: readonly number[] = []): TrialResult {
  const answers = new Answers(correct.length, 1);
  answers.halves[0].set(correct);
  return {
    trial,
    answers,
    lengths,
    norm: "linf",
    passes: { forward: 0, backward: 0 },
    seconds: 0,
    stops: [],
  };
}

describe("withinRadius", () => {
  it("counts answers to images as near as that, and to the clean ones in place of the others", () => {
    const [answers, before] = [new Answers(3, 4), new Answers(3, 4)];
    for (const half of [0, 1] as const) {
      answers.halves[half].set([0, 1, 2]);
      before.halves[half].set([2, 2, 2]);
    }
    // 0.3 in float32 is above 0.3.
    const lengths = [Math.fround(0.3), 0.31, 0];
    expect([...withinRadius({ answers, lengths }, before, 0.3).correct]).toEqual([0, 4, 4]);
    expect([...withinRadius({ answers, lengths }, before, 0.31).correct]).toEqual([0, 2, 4]);
  });
});

describe("worstWithin", () => {
  const results = [
    outcome(clean, [1, 1, 1, 1, 1]),
    outcome(whiteBox(pgd({ epsilon: 0.1 })), [0, 1, 1, 1, 1]),
    outcome(whiteBox(pgd({ epsilon: 0.3 })), [0, 0, 1, 1, 1]),
    outcome(whiteBox(fmn()), [0, 0, 0, 0, 1], [0.05, 0.25, 0.2, 0.4, 0.6]),
    outcome(whiteBox(pgd({ norm: "l2", epsilon: 0.1 })), [0, 0, 0, 0, 0]),
    outcome(
      trialOf({ attack: pgd({ epsilon: 0.1 }), on: "fixed-seed:0", shownTo: "fixed-seed:0" }),
      [0, 0, 0, 0, 0],
    ),
  ];
  const worst = (radius: number) => [
    ...worstWithin(results, results[0]!.answers, { norm: "linf", radius }, false).correct,
  ];

  it("is over attacks of the norm and a radius as small, and over minimized perturbations in the ball", () => {
    expect(worst(0.01)).toEqual([1, 1, 1, 1, 1]);
    expect(worst(0.1)).toEqual([0, 1, 1, 1, 1]);
    expect(worst(0.2)).toEqual([0, 1, 0, 1, 1]);
    expect(worst(0.3)).toEqual([0, 0, 0, 1, 1]);
  });
});

import { describe, expect, it } from "vitest";
import {
  type Resolution,
  resolutionOf,
  resolutionText,
} from "../../../src/evaluation/audit/verdict/resolution.js";
import { type VerdictCounts, verdictName } from "../../../src/evaluation/audit/verdict/verdict.js";
import { verdictMeaning, verdictOf } from "../../../src/evaluation/audit/verdict/verdict-text.js";
import type { Outcome } from "../../../src/evaluation/index.js";
import { Answers, wilson } from "../../../src/trials/index.js";
import { leaving } from "./judged.js";

const fine: Resolution = { points: 3, bound: 5 };

/** Answers of a deterministic model to so many images, of which the first are correct. */
function answersTo(count: number, correct: number): Answers {
  const answers = new Answers(count, 1);
  answers.halves[0].fill(1, 0, correct);
  return answers;
}

const verdict = (
  outcomes: readonly { outcome: Outcome }[],
  claim: number,
  worst: number,
  changes: Partial<VerdictCounts> = {},
) =>
  verdictName(outcomes, {
    claim: leaving(claim),
    worst: leaving(worst),
    classes: 10,
    claimed: true,
    resolution: fine,
    errors: [],
    ...changes,
  });

describe("the verdict", () => {
  const masked = { outcome: "masked" } as const;

  it("is not robust where the claimed attack itself leaves no more than chance, whatever hides gradients", () => {
    expect(verdict([masked], 0, 0)).toBe("not robust");
    expect(verdict([masked], 20, 0)).toBe("not robust");
    // The claimed attack has missed what others found: that is what masking means.
    expect(verdict([masked], 21, 0)).toBe("masked");
    expect(verdict([masked, { outcome: "invalid" }], 0, 0)).toBe("invalid");
    expect(verdict([], 100, 0)).toBe("overstated");
  });

  it("holds a claim to each image of a deterministic model that falls, however few the images are", () => {
    const few = (claim: number, worst: number, count: number) =>
      verdict([], 0, 0, {
        claim: answersTo(count, claim),
        worst: answersTo(count, worst),
        resolution: resolutionOf(answersTo(count, claim), answersTo(count, worst), 5),
      });
    expect(few(16, 11, 20)).toBe("overstated");
    expect(few(3, 2, 3)).toBe("overstated");
    // Two points are tolerated.
    expect(few(160, 157, 200)).toBe("claim holds");
    expect(few(160, 155, 200)).toBe("overstated");
  });

  it("is inconclusive where no fault was found, and the images could not show one of 5 points", () => {
    const [standing, few] = [answersTo(10, 9), answersTo(119, 100)];
    // 6 images must differ, all one way: 6 of 119 are 5.04 points, 6 of 120 are 5.
    expect(resolutionOf(few, few, 5)).toEqual({ points: 600 / 119, bound: 5 });
    expect(resolutionText(resolutionOf(few, few, 5), 119)).toBe(
      "with 119 images a difference of attacks below 5.1 points can go unseen; no more than 5 should",
    );
    const enough = answersTo(120, 100);
    expect(resolutionText(resolutionOf(enough, enough, 5), 120)).toMatch(/below 5 points can go unseen$/);
    expect(resolutionOf(answersTo(5, 5), answersTo(5, 5), 5)).toEqual({ points: null, bound: 5 });
    // 120 copies of 5 images show as little as these; a few copies among many images change nothing.
    expect(resolutionOf(enough, enough, 5, 5)).toEqual({ points: null, bound: 5 });
    expect(resolutionOf(enough, enough, 5, 60).points).toBe(10);
    expect(resolutionOf(enough, enough, 5, 110).points).toBe(5);
    const of = (answers: Answers, bound = 5, claimed = true) =>
      verdict([], 0, 0, {
        claim: answers,
        worst: answers,
        claimed,
        resolution: resolutionOf(answers, answers, bound),
      });
    expect([of(standing), of(few), of(answersTo(120, 100))]).toEqual([
      "inconclusive",
      "inconclusive",
      "claim holds",
    ]);
    expect([of(few, 6), of(few, 5, false)]).toEqual(["claim holds", "inconclusive"]);
    // A fault that was found is one, however few the images are.
    expect(verdict([masked], 100, 100, { resolution: { points: null, bound: 5 } })).toBe("masked");
    expect(verdict([], 0, 0, { resolution: { points: null, bound: 5 } })).toBe("not robust");
  });

  it("is inconclusive where no fault was found, and an attack or a check ended in an error", () => {
    const errors = ["square() ended in an error: out of memory"];
    expect(verdict([], 100, 100, { errors })).toBe("inconclusive");
    expect(verdict([], 100, 100, { errors, claimed: false })).toBe("inconclusive");
    // What the other attacks found stays found.
    expect(verdict([masked], 100, 100, { errors })).toBe("masked");
    expect(verdict([], 150, 100, { errors })).toBe("overstated");
    expect(verdict([], 100, 0, { errors, claimed: false })).toBe("not robust");
  });

  it("judges randomized models by the paired interval of their shares", () => {
    const answers = new Answers(100, 10);
    answers.halves[0].fill(4);
    answers.halves[1].fill(3);
    // No image differs: the interval is that of the pairs that are added, 1.96 x 1 / 100.
    expect(resolutionOf(answers, answers, 5).points).toBeCloseTo(1.96, 2);
    const few = new Answers(30, 10);
    expect(resolutionOf(few, few, 5).points).toBeCloseTo((100 * 1.96) / 30, 1);
  });

  it("has no rounding in an accuracy of chance, and in a fall of as much as is tolerated", () => {
    const eachIn = (correct: number, draws: number) => {
      const answers = new Answers(200, draws);
      answers.halves[0].fill(correct);
      return answers;
    };
    const of = (claim: Answers, worst: Answers) => verdict([], 0, 0, { claim, worst });
    expect(eachIn(1, 10).mean()).toBe(0.1);
    expect(of(eachIn(9, 10), eachIn(1, 10))).toBe("overstated");
    expect(of(eachIn(1, 10), eachIn(1, 10))).toBe("not robust");
    // A fall of 2 points is as much as a claim may have.
    expect(of(eachIn(92, 100), eachIn(90, 100))).toBe("claim holds");
    expect(of(eachIn(92, 100), eachIn(89, 100))).toBe("overstated");
  });

  it("finds no fault where nobody claims anything, and nothing is overstated then", () => {
    expect(verdict([], 150, 150, { claimed: false })).toBe("no fault found");
    expect(verdict([], 150, 100, { claimed: false })).toBe("no fault found");
    expect(verdict([], 150, 20, { claimed: false })).toBe("not robust");
    expect(verdict([masked], 150, 100, { claimed: false })).toBe("masked");
  });
});

describe("the verdict's sentence", () => {
  const line = (name: string, outcome: Outcome) => ({ name, outcome, evidence: "12 % of images" });
  const figures = {
    model: "small",
    attack: "PGD-40",
    claimed: true,
    ball: "linf 8/255",
    clean: wilson(90, 100),
    chance: 0.1,
    claim: wilson(30, 100),
    worst: wilson(20, 100),
    strongest: { attack: "APGD-T-9", accuracy: 0.25 },
    images: 100,
    resolution: { points: 6, bound: 5 },
    errors: [],
    lines: [
      line("gradients", "masked"),
      line("finite", "passed"),
      line("transfer", "masked"),
      line("label-leak", "invalid"),
    ],
  };
  const strongest = { text: "strongest single attack: APGD-T-9, 25.0 % left" };

  // statsmodels: proportion_confint(30, 100, method="wilson"), and of 20.
  const [claim, worst] = [
    "30.0 % [21.9, 39.6] under PGD-40 within linf 8/255",
    "20.0 % [13.3, 28.9] in the worst case of all attacks",
  ];
  const unseen =
    "with 100 images a difference of attacks below 6 points can go unseen; no more than 5 should";

  it.each([
    ["claim holds", `${claim}, ${worst}`, [strongest]],
    ["overstated", `${claim}, but ${worst}`, [strongest]],
    ["inconclusive", `${claim}, ${worst}; ${unseen}`, [{ text: unseen }, strongest]],
    ["not robust", `${worst}, no more than chance; ${claim}`, [strongest]],
    [
      "masked",
      `${claim}, ${worst} says little, for gradients lead attacks astray (gradients, transfer)`,
      [
        { line: "gradients", text: "12 % of images" },
        { line: "transfer", text: "12 % of images" },
      ],
    ],
    [
      "invalid",
      "no accuracy of model small in this audit can be trusted (label-leak: 12 % of images)",
      [{ line: "label-leak", text: "12 % of images" }],
    ],
  ] as const)("names the attack, the ball, the figures and what decided: %s", (name, text, reasons) => {
    expect(verdictOf(name, figures)).toEqual({ name, text: `${name}: ${text}`, reasons });
  });

  it("keeps to the claim where only the claimed attack fails", () => {
    const line = (name: string) => ({ name, outcome: "invalid", evidence: "12 % of images" }) as const;
    const text = (...lines: readonly ReturnType<typeof line>[]) =>
      verdictOf("invalid", { ...figures, lines }).text;
    expect(text(line("claimed-attack"))).toBe(
      "invalid: the claim about model small says nothing (claimed-attack: 12 % of images)",
    );
    expect(text(line("claimed-attack"), line("finite"))).toBe(
      "invalid: no accuracy of model small in this audit can be trusted (finite: 12 % of images)",
    );
  });

  it("says of the figure that decided that it is no more than chance", () => {
    const [low, high] = ["5.0 % [2.2, 11.2]", "12.0 % [7.0, 19.8]"];
    for (const claimed of [true, false]) {
      const given = { ...figures, claimed, claim: wilson(5, 100), worst: wilson(12, 100) };
      expect(verdictOf("not robust", given).text).toBe(
        `not robust: ${low} under PGD-40 within linf 8/255, no more than chance; ` +
          `${high} in the worst case of all attacks`,
      );
    }
  });

  it("says of a single attack below the worst case that its own draws chose it", () => {
    const lucky = { ...figures, strongest: { attack: "APGD-T-9", accuracy: 0.19 } };
    expect(verdictOf("claim holds", lucky).reasons).toEqual([
      { text: "strongest single attack: APGD-T-9, 19.0 % left in the draws that chose it" },
    ]);
  });

  it("says where no attack lowers the accuracy", () => {
    const none = { ...figures, strongest: { attack: undefined, accuracy: 0.75 } };
    expect(verdictOf("claim holds", none).reasons).toEqual([
      { text: "no single attack leaves less than the 75.0 % of clean images" },
    ]);
  });

  it("says that a model which guesses does so before any attack", () => {
    const given = {
      ...figures,
      claimed: false,
      clean: wilson(10, 100),
      claim: wilson(3, 100),
      worst: wilson(2, 100),
    };
    expect(verdictOf("not robust", given).text).toBe(
      "not robust: 10.0 % [5.5, 17.4] on clean images, no more than chance before any attack; " +
        "2.0 % [0.6, 7.0] in the worst case of all attacks within linf 8/255",
    );
    const meaning = (guesses: boolean) =>
      verdictMeaning("not robust", { few: false, failed: false, guesses });
    expect(meaning(false)).toBe("attacks in the ball lower the accuracy to no more than chance");
    expect(meaning(true)).toMatch(/^the model only guesses on clean images already/);
  });

  it("names the attacks that ended in an error, and few images beside them", () => {
    const errors = ["square() ended in an error: out of memory", "the check gradients ended in an error: no"];
    const enough = { ...figures, errors, resolution: fine };
    const [first] = errors;
    expect(verdictOf("inconclusive", enough)).toEqual({
      name: "inconclusive",
      text: `inconclusive: ${claim}, ${worst}; ${first} (and 1 more)`,
      reasons: [...errors.map((text) => ({ text })), strongest],
    });
    expect(verdictOf("inconclusive", { ...figures, errors: [first!] })).toEqual({
      name: "inconclusive",
      text: `inconclusive: ${claim}, ${worst}; ${unseen}; ${first}`,
      reasons: [{ text: unseen }, { text: first }, strongest],
    });
  });

  it("means by inconclusive what was the cause, and says what to do", () => {
    const meaning = (few: boolean, failed: boolean) => verdictMeaning("inconclusive", { few, failed });
    const images = "the images are too few to find one (--limit takes more)";
    const errors = "an attack or a check ended in an error (the same command runs it again)";
    expect(meaning(true, false)).toBe(`no fault was found, but ${images}`);
    expect(meaning(false, false)).toBe(`no fault was found, but ${errors}`);
    expect(meaning(false, true)).toBe(`no fault was found, but ${errors}`);
    expect(meaning(true, true)).toBe(`no fault was found, but ${images}, and ${errors}`);
  });

  it("names the worst case alone where nobody claims anything", () => {
    const unclaimed = { ...figures, claimed: false };
    const text = `${worst} within linf 8/255`;
    expect(verdictOf("no fault found", unclaimed).text).toBe(`no fault found: ${text}`);
    expect(verdictOf("masked", unclaimed).text).toBe(
      `masked: ${text} says little, for gradients lead attacks astray (gradients, transfer)`,
    );
    expect(verdictOf("not robust", unclaimed).text).toBe(
      "not robust: 20.0 % [13.3, 28.9] in the worst case of all attacks within linf 8/255, no more than chance",
    );
  });
});

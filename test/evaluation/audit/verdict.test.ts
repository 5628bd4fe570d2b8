import { describe, expect, it } from "vitest";
import { verdictName, verdictText } from "../../../src/evaluation/audit/verdict.js";
import type { Outcome } from "../../../src/evaluation/index.js";
import { Answers, wilson } from "../../../src/trials/index.js";
import { leaving } from "./judged.js";

const verdict = (outcomes: readonly { outcome: Outcome }[], claim: number, worst: number) =>
  verdictName(outcomes, { claim: leaving(claim), worst: leaving(worst), classes: 10 });

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
    const few = (claim: number, worst: number, count: number) => {
      const [a, b] = [claim, worst].map((correct) => {
        const answers = new Answers(count, 1);
        answers.halves[0].fill(1, 0, correct);
        return answers;
      });
      return verdictName([], { claim: a!, worst: b!, classes: 10 });
    };
    expect(few(16, 11, 20)).toBe("overstated");
    expect(few(3, 2, 3)).toBe("overstated");
    expect(few(16, 16, 20)).toBe("claim holds");
    // Two points are tolerated.
    expect(few(80, 78, 100)).toBe("claim holds");
    expect(few(80, 77, 100)).toBe("overstated");
  });
});

describe("the verdict's sentence", () => {
  const line = (name: string, outcome: Outcome) => ({ name, outcome, evidence: "12 % of images" });
  const figures = {
    attack: "pgd(steps=40)",
    ball: "linf 8/255",
    claim: wilson(30, 100),
    worst: wilson(20, 100),
    lines: [
      line("gradients", "masked"),
      line("finite", "passed"),
      line("transfer", "masked"),
      line("label-leak", "invalid"),
    ],
  };

  it.each([
    [
      "claim holds",
      "claim holds: 30.0 % [21.9, 39.6] under pgd(steps=40) within linf 8/255, " +
        "20.0 % [13.3, 28.9] in the worst case of all attacks",
    ],
    [
      "overstated",
      "overstated: 30.0 % [21.9, 39.6] under pgd(steps=40) within linf 8/255, " +
        "but 20.0 % [13.3, 28.9] in the worst case of all attacks",
    ],
    [
      "not robust",
      "not robust: 20.0 % [13.3, 28.9] in the worst case of all attacks, no more than chance; " +
        "30.0 % [21.9, 39.6] under pgd(steps=40) within linf 8/255",
    ],
    [
      "masked",
      "masked: 30.0 % [21.9, 39.6] under pgd(steps=40) within linf 8/255 says little, " +
        "for gradients lead attacks astray (gradients, transfer)",
    ],
    ["invalid", "invalid: no accuracy of this audit can be trusted " + "(label-leak: 12 % of images)"],
  ] as const)("names the attack, the ball and the figures: %s", (name, text) => {
    // statsmodels: proportion_confint(30, 100, method="wilson"), and of 20.
    expect(verdictText(name, figures)).toBe(text);
  });
});

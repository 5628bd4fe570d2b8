import { expect, it } from "vitest";
import { attackLabel, attacks, labeledCalls } from "../../src/attacks/index.js";

it.each([
  ["pgd(epsilon=0.3, stepSize=0.03, steps=20)", "PGD-20, eps 0.3"],
  ["pgd(epsilon=8/255, steps=40, restarts=5, loss=margin)", "PGD-40, restarts 5, margin, eps 8/255"],
  ["pgd(norm=l2, epsilon=0.5, stepSize=0.1)", "PGD-40, l2 eps 0.5"],
  ["fgsm(epsilon=0.1)", "FGSM, eps 0.1"],
  ["autoattack(epsilon=4/255, steps=20)", "AutoAttack-20, eps 4/255"],
  ["square(queries=500)", "Square, queries 500, eps 0.3"],
  ["expectation(pgd(steps=40), draws=20)", "PGD-40, mean loss of 20 draws, eps 0.3"],
  ["backward(pgd(steps=40), through=noise-free)", "PGD-40 through noise-free, eps 0.3"],
  ["within(hop-skip-jump(norm=linf, steps=5), epsilon=0.1)", "HopSkipJump-5, eps 0.1"],
  ["within(cw-l2(steps=5), epsilon=2, at=radius)", "C&W-5, at the radius, l2 eps 2"],
  ["ls-pga(epsilon=0.1)", "LS-PGA-7, eps 0.1"],
  ["worst-case(pgd(steps=7), fgsm(epsilon=0.3))", "worst of PGD-7 + FGSM, eps 0.3"],
  ["noise(distribution=sign, tries=1)", "noise, sign, tries 1, eps 0.3"],
  ["ddn(steps=20)", "DDN-20"],
])("%s is shown as %s", (text, label) => {
  expect(attackLabel(attacks.parse(text))).toBe(label);
});

it("leaves the radius out where all of a table have the same", () => {
  expect(attackLabel(attacks.parse("pgd(epsilon=8/255, steps=40)"), { radius: false })).toBe("PGD-40");
});

it.each([
  [
    "NaN under pgd(epsilon=2, stepSize=0.2, norm=l2, steps=20): overflow",
    "NaN under PGD-20, l2 eps 2: overflow",
  ],
  ["fgsm(epsilon=0.1) on surrogate:mean", "FGSM, eps 0.1 on surrogate:mean"],
  ["expectation(pgd(steps=40), draws=20) failed", "PGD-40, mean loss of 20 draws, eps 0.3 failed"],
  ["fgsm(epsilon=0.1) and fgsm(epsilon=0.2)", "FGSM, eps 0.1 and FGSM, eps 0.2"],
  // Labels leave out the size of a step: two calls that would have the same one stay as they are.
  ["pgd(stepSize=0.1) and pgd(stepSize=0.2)", "pgd(stepSize=0.1) and pgd(stepSize=0.2)"],
  ["pgd(stepSize=0.1), again pgd(stepSize=0.1)", "PGD-40, eps 0.3, again PGD-40, eps 0.3"],
  // What is no attack, or no whole call, stays as it is.
  [
    "divide the logits, temperature(..., value=10) (square)",
    "divide the logits, temperature(..., value=10) (square)",
  ],
  ["round(x) of mine(fgsm(epsilon=0.1)), pgd(steps=", "round(x) of mine(FGSM, eps 0.1), pgd(steps="],
])("calls within the text %j are named briefly", (text, labeled) => {
  expect(labeledCalls(text)).toBe(labeled);
});

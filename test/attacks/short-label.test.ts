import { expect, test } from "vitest";
import { parseAttack, shortLabel } from "../../src/attacks/index.js";

test.each([
  ["fgsm(epsilon=8/255, labels=given)", "fgsm(epsilon=8/255)"],
  ["cw-l2(steps=10)", "cw-l2"],
  ["restarts(pgd(epsilon=0.3, steps=7), times=3)", "restarts(pgd(epsilon=0.3))"],
  ["worst-case(fgsm(epsilon=0.1), restarts(cw-l2()))", "worst-case(fgsm(epsilon=0.1), restarts(cw-l2()))"],
  ["clean", "clean"],
])("%s is %s for short", (label, short) => {
  expect(shortLabel(label)).toBe(short);
  if (label.includes("restarts(pgd")) expect(shortLabel(parseAttack(label).label)).toBe(short);
});

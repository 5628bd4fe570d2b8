import { expect, it } from "vitest";
import { dataFacts } from "../../../src/evaluation/audit/evidence/data-facts.js";
import { auditSettings } from "../../../src/evaluation/audit/options.js";
import { grays } from "../splits.js";

it("a report tells of images that stand several times among those audited", () => {
  const samplingOf = (...names: string[]) => {
    const images = names.map((sha256, position) => ({ position, sha256, label: 0 }));
    const settings = auditSettings({ epsilon: 0.1 });
    return dataFacts({ split: grays(...names.map(() => 7)), settings }, images).sampling;
  };
  expect(samplingOf("a", "b", "c")).toBe("the first 3 images of test images, in their order");
  expect(samplingOf("a", "b", "a")).toMatch(/, in their order; only 2 of them differ$/);
});

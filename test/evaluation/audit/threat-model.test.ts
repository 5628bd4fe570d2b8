import { expect, it } from "vitest";
import { randomnessOf } from "../../../src/evaluation/audit/evidence/threat-model.js";
import type { AuditPlan } from "../../../src/evaluation/index.js";

it("the report of a randomized model tells how many fixed seeds were attacked", () => {
  const known = (seeds: number) =>
    randomnessOf({ players: { model: { randomized: true } }, budget: { seeds } } as AuditPlan, 0, 100)[3];
  expect(known(0)).toBe("known noise: no fixed seed was attacked");
  expect(known(1)).toBe("known noise: 1 fixed seed was attacked");
  expect(known(5)).toBe("known noise: 5 fixed seeds were attacked");
});

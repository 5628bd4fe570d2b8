import { describe, expect, it } from "vitest";
import { adaptiveAttack, standardAttack } from "../../../../src/evaluation/audit/attacks.js";
import { fixedSeed } from "../../../../src/evaluation/audit/checks/all.js";
import { checklist, checks, defineCheck } from "../../../../src/evaluation/audit/checks/index.js";
import { whiteBox } from "../../../../src/trials/index.js";
import { tinyCnn } from "../../../attacks/tiny-networks.js";
import { judge } from "../judged.js";
import { planOf } from "../tiny-audit.js";

const plan = planOf(tinyCnn);

describe("the kind of checks", () => {
  it("lists every check once, group by group, and takes those of a user's own", () => {
    const names = checklist().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([names[0], names.at(-1)]).toEqual(["claimed-attack", "transfer"]);
    expect(checks.parse("fixed-seed").question).toContain("noise is fixed and known");
    const own = defineCheck("own-check", {
      question: "Is the claimed accuracy above a half?",
      source: "this test",
      trials: ({ claim }) => [claim],
      judge: ({ claim }, { of }) => ({
        outcome: of(claim).answers.mean() > 0.5 ? "passed" : "noted",
        evidence: "by counting",
      }),
    });
    expect(judge(own(), [[plan.claim, 90]])).toEqual({ outcome: "noted", evidence: "by counting" });
    expect(() => checks.register(fixedSeed)).toThrow("registered already");
  });

  it("shares trials between checks: the standard attack is one", () => {
    const standard = whiteBox(standardAttack(plan)).id;
    const asking = checklist().filter((check) => check.trials(plan).some(({ id }) => id === standard));
    expect(asking.length).toBeGreaterThan(3);
    expect(whiteBox(adaptiveAttack(plan)).id).not.toBe(standard);
  });
});

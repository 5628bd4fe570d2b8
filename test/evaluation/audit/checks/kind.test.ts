import { describe, expect, it } from "vitest";
import * as z from "zod";
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

describe("mistakes of a check's writer are named", () => {
  const sound = {
    question: "Is it?",
    source: "this test",
    judge: () => ({ outcome: "passed", evidence: "yes" }),
  };
  const checkWith = (mistake: object) => defineCheck("mine", { ...sound, ...mistake } as never)({});

  it.each<[string, object, string]>([
    ["no question", { question: undefined }, "question must be a text, not undefined"],
    ["no source", { source: undefined }, "source must be a text, not undefined"],
    [
      "a group that no audit has",
      { group: "others" },
      'group must be answers, gradients, convergence, randomness, other attacks, not "others"',
    ],
    ["no judge", { judge: undefined }, "judge must be a function, not undefined"],
    ["a list of trials", { trials: [] }, "trials must be a function, not a list"],
    [
      "an option without a default",
      { options: z.strictObject({ count: z.int() }) },
      'option "count" must have a default, with which audits ask the check',
    ],
  ])("%s", (_, mistake, message) => {
    expect(() => checkWith(mistake)).toThrow(`check mine: ${message}`);
  });

  it.each<[string, () => unknown, string]>([
    [
      "nothing",
      () => undefined,
      "judge must be a function that returns { outcome, evidence }, not undefined",
    ],
    ["a text", () => "passed", 'judge must be a function that returns { outcome, evidence }, not "passed"'],
    [
      "a promise",
      () => Promise.reject(new Error()),
      "judge must be a function that returns { outcome, evidence }, not a",
    ],
    [
      "an unknown outcome",
      () => ({ outcome: "failed", evidence: "x" }),
      "outcome must be passed, noted, masked, invalid",
    ],
    ["no evidence", () => ({ outcome: "passed" }), "evidence must be a sentence, not undefined"],
  ])("a judgment that is %s", (_, judged, message) => {
    expect(() => judge(checkWith({ judge: judged }), [])).toThrow(`check mine: ${message}`);
  });

  it.each<[string, unknown, string]>([
    [
      "a promise",
      Promise.resolve([]),
      "trials must be a function that returns a list of trials, not a Promise",
    ],
    ["texts", ["pgd"], 'an element of trials must be a trial such as blackBox(pgd()), not "pgd"'],
  ])("trials that are %s", (_, trials, message) => {
    expect(() => checkWith({ trials: () => trials }).trials(plan)).toThrow(`check mine: ${message}`);
  });

  it("more than a judgment has changes no line of the report", () => {
    const judged = { outcome: "passed", evidence: "yes", name: "finite" };
    expect(judge(checkWith({ judge: () => judged }), [])).toEqual({ outcome: "passed", evidence: "yes" });
  });
});

import { describe, expect, it } from "vitest";
import { attacks } from "../../../src/attacks/index.js";
import { scoreBased } from "../../../src/evaluation/audit/checks/all.js";
import { trialsOf } from "../../../src/evaluation/audit/trials-of.js";
import { audit, budgets } from "../../../src/evaluation/index.js";
import { type Trial, trialOn } from "../../../src/trials/index.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { budget, goldenSplit, planOf } from "./tiny-audit.js";

describe("budgets", () => {
  const added = ["nes", "spsa", "boundary", "rotation-translation"];

  it("standard and full have two attacks of each kind without gradients, and rotations; quick has one", () => {
    const namesOf = (name: keyof typeof budgets) =>
      new Set(trialsOf({ ...planOf(tinyCnn), budget: budgets[name] }).map(({ attack }) => attack?.name));
    const has = (name: keyof typeof budgets) => added.map((attack) => namesOf(name).has(attack));
    expect(has("quick")).toEqual([false, false, false, false]);
    expect(has("standard")).toEqual([true, true, true, true]);
    expect(has("full")).toEqual([true, true, true, true]);
    const gaussian = (name: keyof typeof budgets) =>
      trialsOf({ ...planOf(tinyCnn), budget: budgets[name] }).some(
        ({ attack }) => attack?.options.distribution === "gaussian",
      );
    expect([gaussian("quick"), gaussian("standard")]).toEqual([false, true]);
  });

  it("of a user's own are checked", async () => {
    const refused = (own: object) =>
      audit(tinyCnn, goldenSplit(tinyCnn), { epsilon: 0.1, budget: own as never });
    await expect(refused({ ...budget, steps: 0 })).rejects.toThrow(/option "steps" cannot be 0/);
    await expect(refused({ ...budget, step: 1 })).rejects.toThrow(
      /unknown option "step"; did you mean "steps"/,
    );
  });
});

describe("the trials of an audit", () => {
  const idsOf = (claim: Trial) => trialsOf({ ...planOf(tinyCnn), claim }).map(({ id }) => id);

  it("begin with the claimed attack, without which there is nothing to audit", () => {
    for (const text of ["pgd(epsilon=0.05, steps=7)", "autoattack(epsilon=0.05)"]) {
      const claim = trialOn(attacks.parse(text));
      expect(idsOf(claim).slice(0, 2)).toEqual(["clean", claim.id]);
    }
  });

  it("have it behind the trial that a check takes its images from, and once", () => {
    const known = trialsOf(planOf(tinyCnn)).find(({ from }) => from !== undefined)!;
    const ids = idsOf(trialOn(known.attack!));
    expect(ids.slice(0, 3)).toEqual(["clean", known.from!.id, known.id]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("Square's queries", () => {
  const optionsOf = (randomized: boolean, queries: number) => {
    const plan = planOf({ ...tinyCnn, randomized });
    return scoreBased().trials({ ...plan, budget: { ...plan.budget, queries } })[0]!.attack!.options;
  };

  it("are fewer in more draws where a randomized model is asked so often that draws would be fitted", () => {
    expect(optionsOf(true, 5000)).toMatchObject({ queries: 1250, draws: 32 });
    expect(optionsOf(true, 500)).toMatchObject({ queries: 500, draws: 8 });
    expect(optionsOf(false, 5000)).toMatchObject({ queries: 5000, draws: 8 });
  });
});

import { describe, expect, it } from "vitest";
import { writeCriterion } from "../../../src/evaluation/audit/criterion/criterion.js";
import { type Findings, outcomeOf } from "../../../src/evaluation/audit/criterion/outcome.js";
import { checkMeasured } from "../../../src/evaluation/audit/criterion/requirement.js";
import { perClassOf, perClassWorst } from "../../../src/evaluation/audit/evidence/per-class.js";
import { MemoryStore, parseRequirements } from "../../../src/evaluation/index.js";
import { wilson } from "../../../src/trials/index.js";
import { leaving } from "./judged.js";

describe("a criterion", () => {
  it("is a figure and its least share, or several", () => {
    expect(parseRequirements("worst >= 0.40")).toEqual([{ figure: "worst", operator: ">=", threshold: 0.4 }]);
    expect(parseRequirements("Per-class worst>2/5 AND every draw >= 12.5 %")).toEqual([
      { figure: "per-class worst", operator: ">", threshold: 0.4 },
      { figure: "every-draw", operator: ">=", threshold: 0.125 },
    ]);
  });

  it.each([
    [
      "worst",
      'require: "worst" is no condition; write a figure and its least share, such as "worst >= 0.40"',
    ],
    ["worst <= 0.4", "is no condition"],
    ["", "is no condition"],
    ["worst >= 40", "require: 40 is not in [0, 1]; 40 % is 0.40"],
    ["worst >= lots", "require: lots is not in [0, 1]"],
    ["worst >= -1", "require: -1 is not in [0, 1]"],
    ["wurst >= 0.4", 'no figure is named "wurst"; known: clean, claim, worst, per-class worst'],
    ["worst >= 0.4 and", "is not in [0, 1]"],
  ])("is refused where it is none: %j", (text, message) => {
    expect(() => parseRequirements(text)).toThrow(message);
  });

  it("is refused where the audit has no such figure", () => {
    const known = { randomized: true, seeds: 1 };
    const check = (text: string, facts = known) => checkMeasured(parseRequirements(text), facts);
    for (const figure of ["majority", "every-draw", "fixed-seed"]) {
      check(`${figure} >= 0.1`);
      expect(() => check(`${figure} >= 0.1`, { ...known, randomized: false })).toThrow("is deterministic");
    }
    expect(() => check("fixed-seed >= 0.1", { ...known, seeds: 0 })).toThrow("attacks no fixed seed");
    check("worst >= 0.1 and clean >= 0.2", { randomized: false, seeds: 0 });
  });

  it("keeps the time at which it was first written, and those that came later stay beside it", () => {
    const store = new MemoryStore();
    const [monday, tuesday] = [new Date("2026-01-05T10:00:00Z"), new Date("2026-01-06T10:00:00Z")];
    const first = writeCriterion(store, "worst >= 0.4", 0, monday);
    const at = monday.toISOString();
    expect(first).toEqual({
      criterion: { require: "worst >= 0.4", writtenAt: at, batchesBefore: 0 },
      others: [],
    });
    expect(writeCriterion(store, "worst >= 0.4", 7, tuesday)).toEqual(first);
    const later = writeCriterion(store, "worst >= 0.3", 7, tuesday);
    expect(later.criterion).toEqual({
      require: "worst >= 0.3",
      writtenAt: tuesday.toISOString(),
      batchesBefore: 7,
    });
    expect(later.others).toEqual([first.criterion]);
    store.writeNote("criterion", { edited: true });
    expect(writeCriterion(store, "worst >= 0.4", 7, tuesday).criterion.batchesBefore).toBe(7);
  });
});

describe("the outcome", () => {
  // Wilson 1927 by hand: [0.3347, 0.4691].
  const worst = wilson(80, 200);
  const findings: Findings = {
    verdict: "no fault found",
    images: 200,
    errors: [],
    figures: { worst, clean: wilson(190, 200) },
  };
  const of = (require: string, changes: Partial<Findings> = {}) =>
    outcomeOf(
      { ...findings, ...changes },
      {
        criterion: { require, writtenAt: "2026-01-05T10:00:00.000Z", batchesBefore: 0 },
        others: [],
        baseline: undefined,
      },
    );

  it("passes above the threshold, fails below, and is undecided where the interval has it inside", () => {
    const names = ["worst >= 0.33", "worst >= 0.34", "worst >= 0.46", "worst >= 0.48"].map(
      (one) => of(one).name,
    );
    expect(names).toEqual(["pass", "undecided", "undecided", "fail"]);
    expect(of("worst >= 0.34").text).toBe(
      "undecided: worst >= 0.34: 40.0 % [33.5, 46.9], the threshold inside the interval, which more images make narrower",
    );
    // Rounded to one digit its ends would be the threshold itself.
    const near = { figures: { worst: { accuracy: 0.3, low: 0.2, high: 0.39994 } } };
    expect(of("worst >= 0.4", near).text).toBe(
      "fail: worst >= 0.4: 30.00 % [20.00, 39.99], all of the interval below",
    );
    const exact = { figures: { worst: { accuracy: 1, low: 0.5, high: 1 } } };
    expect([of("worst >= 0.5", exact).name, of("worst > 0.5", exact).name]).toEqual(["pass", "undecided"]);
  });

  it("is the worst of several", () => {
    expect(of("worst >= 0.3 and clean >= 0.9").name).toBe("pass");
    expect(of("worst >= 0.4 and clean >= 0.9")).toMatchObject({
      name: "undecided",
      text: expect.not.stringContaining("clean"),
    });
    expect(of("worst >= 0.4 and clean >= 0.99").name).toBe("fail");
    expect(of("worst >= 0.3 and per-class worst >= 0.1")).toMatchObject({
      name: "undecided",
      text: "undecided: per-class worst >= 0.1: was not measured, as a class has no image",
    });
  });

  it("never passes by figures that cannot be trusted, and fails by them all the same", () => {
    const masked = { verdict: "masked" } as const;
    expect(of("worst >= 0.3", masked)).toMatchObject({
      name: "undecided",
      text: expect.stringContaining("but gradients are masked"),
    });
    expect([of("worst >= 0.5", masked).name, of("clean >= 0.9", masked).name]).toEqual(["fail", "pass"]);
    expect(of("clean >= 0.9", { verdict: "invalid" }).name).toBe("undecided");
    const few = { verdict: "inconclusive" } as const;
    expect(of("worst >= 0.3", few)).toMatchObject({
      name: "undecided",
      text: expect.stringMatching(/but the audit is inconclusive: \d+ images are too few$/),
    });
    expect([of("worst >= 0.5", few).name, of("clean >= 0.9", few).name]).toEqual(["fail", "pass"]);
    expect(of("worst >= 0.01", { images: 5 }).name).toBe("undecided");
    for (const verdict of ["inconclusive", "overstated", "not robust"] as const) {
      const errors = { verdict, errors: ["square() ended in an error: out of memory"] };
      expect(of("worst >= 0.3", errors)).toMatchObject({
        name: "undecided",
        text: expect.stringMatching(/, but square\(\) ended in an error: out of memory$/),
      });
      expect([of("worst >= 0.5", errors).name, of("clean >= 0.9", errors).name]).toEqual(["fail", "pass"]);
    }
  });
});

describe("classes", () => {
  it("have intervals that hold together, and their lowest needs an image of each", () => {
    const labels = Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1));
    const found = perClassOf(labels, ["cat", "dog"], { clean: leaving(200), worst: leaving(150) });
    expect(found.map(({ name, images, worst }) => [name, images, worst!.accuracy])).toEqual([
      ["cat", 100, 1],
      ["dog", 100, 0.5],
    ]);
    // Wilson 1927 by hand, with the quantile 2.2414 of 0.0125.
    expect(found[1]!.worst!.low).toBeCloseTo(0.39064, 3);
    expect(perClassWorst(found)).toEqual(found[1]!.worst);
    const missing = perClassOf(labels, ["cat", "dog", "owl"], { clean: leaving(200), worst: leaving(150) });
    expect(missing[2]).toEqual({ label: 2, name: "owl", images: 0, clean: null, worst: null });
    expect(perClassWorst(missing)).toBeUndefined();
  });
});

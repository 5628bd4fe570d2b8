import { beforeAll, describe, expect, it } from "vitest";
import { within } from "../../../../src/attacks/index.js";
import { deriveSeed } from "../../../../src/base/index.js";
import { imageIdRange, scope, tensor } from "../../../../src/engine/index.js";
import {
  curveRadii,
  minimalAttacks,
  radiusAttacks,
} from "../../../../src/evaluation/audit/curves/curve-attacks.js";
import { trialsOf } from "../../../../src/evaluation/audit/trials-of.js";
import type { Report } from "../../../../src/evaluation/index.js";
import { quantizedCnn, tinyCnn } from "../../../attacks/tiny-networks.js";
import { audited, budget, goldenSplit, planOf } from "../tiny-audit.js";

const named = ({ curves }: Report, name: string) => curves.find((curve) => curve.name === name)!;
const at = (report: Report, name: string, epsilon: number) =>
  named(report, name).points.find((point) => Math.abs(point.at - epsilon) < 1e-9)!.accuracy;

// Two whole audits: seconds, but not on a machine that does much else.
describe("the security curve", { timeout: 300_000 }, () => {
  // So small that the worst case in it is not yet 0.
  const [epsilon, split] = [0.02, goldenSplit(tinyCnn)];
  const plan = planOf(tinyCnn, epsilon);
  let report: Report;
  beforeAll(async () => {
    report = await audited(tinyCnn, split, { epsilon });
  }, 300_000);

  it("of a minimal attack is what the attack within each radius leaves", () => {
    const images = tensor(
      Float32Array.from(split.images, (level) => level / 255),
      [6, ...tinyCnn.inputShape],
    );
    const labels = tensor(
      BigInt64Array.from(split.labels, (label) => BigInt(label)),
      [6],
      "int64",
    );
    const seed = deriveSeed(deriveSeed(0, "audit"), "attack");
    const context = { seed, imageIds: imageIdRange(0, 6) };
    for (const { name, free } of minimalAttacks(plan)) {
      expect(named(report, name).fromLengths).toBe(true);
      for (const radius of curveRadii(plan)) {
        const left = scope(() => {
          const shown = within(free.attack!, { epsilon: radius })(tinyCnn, images, labels, context);
          const answers = tinyCnn.logits(shown, { ...context, draw: 0 }).argmax(1);
          return answers.eq(labels).to("float32").mean().item();
        });
        expect(at(report, name, radius)).toBeCloseTo(left, 6);
      }
    }
    const accuracies = named(report, "FMN").points.map(({ accuracy }) => accuracy);
    expect([accuracies[0], accuracies.at(-1)! < 1]).toEqual([1, true]);
  });

  it("ends in a worst case that no curve lies below, and that larger radii take no part in", () => {
    const worst = named(report, "worst case of all").points;
    expect(worst.map(({ at: radius }) => radius)).toEqual([0, ...curveRadii(plan)]);
    for (const [i, point] of worst.entries()) {
      if (i > 0) expect(point.accuracy).toBeLessThanOrEqual(worst[i - 1]!.accuracy);
      for (const { name } of report.curves)
        expect(point.accuracy).toBeLessThanOrEqual(at(report, name, point.at));
    }
    expect(at(report, "worst case of all", epsilon)).toBe(report.worst.accuracy);
    // Beyond the audited ball more is broken, of which the worst case in it knows nothing.
    expect(worst.at(-1)!.accuracy).toBeLessThan(report.worst.accuracy);
    for (const { trial } of report.worstImages) {
      expect(trial.trial.attack?.traits.radius ?? 0).toBeLessThanOrEqual(epsilon);
    }
  });

  it("of a randomized model stands beside intervals, a surrogate's images and averaged gradients", async () => {
    const model = { ...quantizedCnn, surrogates: { "noise-free": tinyCnn, same: quantizedCnn } };
    const found = await audited(model, goldenSplit(quantizedCnn));
    expect(found.curves.map(({ name, by }) => `${name}, ${by}`)).toEqual([
      "PGD, gradients",
      "FGSM, gradients",
      "APGD, gradients",
      "PGD over 2 draws, gradients",
      "PGD on noise-free, others",
      "Square, others",
      "noise, others",
      "FMN, gradients",
      "FAB, gradients",
      "DeepFool, gradients",
      "HopSkipJump, others",
      "boundary attack, others",
      "worst case of all, all",
    ]);
    expect(at(found, "worst case of all", 0.05)).toBe(found.worst.accuracy);
    for (const { points } of found.curves) {
      for (const { accuracy, low, high } of points)
        expect(low <= accuracy && accuracy <= high && low < high).toBe(true);
    }
  });
});

describe("the radii of the curve", () => {
  it("are shares of the audited one, in gray levels where they are whole, and at most 1 in l-infinity", () => {
    expect(curveRadii({ norm: "linf", epsilon: 8 / 255 })).toEqual(
      [2, 4, 6, 8, 10, 12, 16].map((level) => level / 255),
    );
    expect(curveRadii({ norm: "linf", epsilon: 0.3 })).toEqual([0.075, 0.15, 0.225, 0.3, 0.375, 0.45, 0.6]);
    expect(curveRadii({ norm: "linf", epsilon: 0.8 })).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect(curveRadii({ norm: "l2", epsilon: 2 })).toHaveLength(7);
  });
});

describe("the attacks of the curve", () => {
  const { curve: _, ...few } = budget;
  const quick = { ...planOf(quantizedCnn), budget: few };

  it("are few in a budget without more of them: those of every radius and of smallest perturbations", () => {
    expect(radiusAttacks(quick).map(({ name }) => name)).toEqual(["PGD", "FGSM"]);
    expect(minimalAttacks({ ...quick, norm: "l2" }).map(({ name }) => name)).toEqual([
      "FMN",
      "FAB",
      "HopSkipJump",
      "boundary attack",
    ]);
    expect(minimalAttacks({ ...planOf(tinyCnn), norm: "l2" }).map(({ name }) => name)).toContain("DDN");
  });

  it("run once: those within the ball after the attack that gives their images, also where they are claimed", () => {
    const [first] = minimalAttacks(quick);
    const claimed = { ...quick, claim: { ...first!.within, from: undefined } };
    for (const plan of [quick, claimed]) {
      const ids = trialsOf(plan).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { free, within } of minimalAttacks(plan)) {
        expect(ids.indexOf(free.id)).toBeGreaterThanOrEqual(0);
        expect(ids.indexOf(within.id)).toBeGreaterThan(ids.indexOf(free.id));
      }
    }
    expect(trialsOf(claimed).find(({ id }) => id === first!.within.id)!.from).toBeDefined();
  });
});

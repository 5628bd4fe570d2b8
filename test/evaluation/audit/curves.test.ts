import { beforeAll, describe, expect, it } from "vitest";
import { parseAttack } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import { imageIdRange, scope, tensor } from "../../../src/engine/index.js";
import { withinRadius } from "../../../src/evaluation/audit/curves.js";
import {
  type Audit,
  attackOf,
  curveRadii,
  minimalAttacks,
  radiusAttacks,
  trialsOf,
} from "../../../src/evaluation/audit/index.js";
import { Answers } from "../../../src/trials/answers.js";
import type { TrialResult } from "../../../src/trials/trial-result.js";
import { quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { audited, budget, goldenSplit, planOf } from "./tiny-audit.js";

const named = ({ curves }: Audit, name: string) => curves.find((curve) => curve.name === name)!;
const at = (audit: Audit, name: string, epsilon: number) =>
  named(audit, name).points.find((point) => Math.abs(point.at - epsilon) < 1e-9)!.accuracy;

describe("withinRadius", () => {
  it("counts answers to images as near as that, and to the clean ones in place of the others", () => {
    const [answers, clean] = [new Answers(3, 4), new Answers(3, 4)];
    for (const half of [0, 1] as const) {
      answers.halves[half].set([0, 1, 2]);
      clean.halves[half].set([2, 2, 2]);
    }
    // 0.3 in float32 is above 0.3.
    const result = { answers, lengths: [Math.fround(0.3), 0.31, 0] } as unknown as TrialResult;
    expect([...withinRadius(result, clean, 0.3).correct]).toEqual([0, 4, 4]);
    expect([...withinRadius(result, clean, 0.31).correct]).toEqual([0, 2, 4]);
  });
});

// Two whole audits: seconds, but not on a machine that does much else.
describe("the security curve", { timeout: 300_000 }, () => {
  // So small that the worst case in it is not yet 0.
  const [epsilon, split] = [0.02, goldenSplit(tinyCnn)];
  const plan = planOf(tinyCnn, epsilon);
  let found: Audit;
  beforeAll(async () => {
    found = await audited(plan, split);
  });

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
    const context = { seed: deriveSeed(plan.seed, "attack"), imageIds: imageIdRange(0, 6) };
    for (const { name, free } of minimalAttacks(plan)) {
      expect(named(found, name).fromLengths).toBe(true);
      for (const radius of curveRadii(plan)) {
        const left = scope(() => {
          const shown = parseAttack(`within(${free.attack}, epsilon=${radius})`)(tinyCnn, images, labels, context);
          return tinyCnn
            .logits(shown, { ...context, draw: 0 })
            .argmax(1)
            .eq(labels)
            .to("float32")
            .mean()
            .item();
        });
        expect(at(found, name, radius)).toBeCloseTo(left, 6);
      }
    }
    const accuracies = named(found, "FMN").points.map(({ accuracy }) => accuracy);
    expect([accuracies[0], accuracies.at(-1)! < 1]).toEqual([1, true]);
  });

  it("ends in a worst case that no curve lies below, and that larger radii take no part in", () => {
    const worst = named(found, "worst case of all").points;
    expect(worst.map(({ at: radius }) => radius)).toEqual([0, ...curveRadii(plan)]);
    for (const [i, point] of worst.entries()) {
      if (i > 0) expect(point.accuracy).toBeLessThanOrEqual(worst[i - 1]!.accuracy);
      for (const { name } of found.curves) expect(point.accuracy).toBeLessThanOrEqual(at(found, name, point.at));
    }
    expect(at(found, "worst case of all", epsilon)).toBe(found.worst.accuracy);
    // Beyond the audited ball more is broken, of which the worst case in it knows nothing.
    expect(worst.at(-1)!.accuracy).toBeLessThan(found.worst.accuracy);
    for (const label of found.brokenBy) {
      const { trial } = found.trials.find((one) => one.label === label)!;
      expect(attackOf(trial)?.traits.radius ?? 0).toBeLessThanOrEqual(epsilon);
    }
  });

  it("of a randomized network stands beside intervals, the twin's images and averaged gradients", async () => {
    const ofNoise = await audited(planOf(quantizedCnn), goldenSplit(quantizedCnn));
    expect(ofNoise.curves.map(({ name, by }) => `${name}, ${by}`)).toEqual([
      "PGD, gradients",
      "FGSM, gradients",
      "APGD, gradients",
      "PGD over 2 draws, gradients",
      ...("twin" in (quantizedCnn.substitutes ?? {}) ? ["PGD on the twin, others"] : []),
      "Square, others",
      "noise, others",
      "FMN, gradients",
      "FAB, gradients",
      "DeepFool, gradients",
      "HopSkipJump, others",
      "boundary attack, others",
      "worst case of all, all",
    ]);
    expect(at(ofNoise, "worst case of all", 0.05)).toBe(ofNoise.worst.accuracy);
    for (const { points } of ofNoise.curves) {
      for (const { accuracy, low, high } of points)
        expect(low <= accuracy && accuracy <= high && low < high).toBe(true);
    }
  });
});

describe("the attacks of the curve", () => {
  const { curve: _, ...few } = budget;
  const quick = { ...planOf(quantizedCnn), budget: few };

  it("are few in a budget without more of them, but those of every radius and of smallest perturbations", () => {
    expect(
      radiusAttacks(quick)
        .map(({ name }) => name)
        .filter((name) => name !== "PGD on the twin"),
    ).toEqual(["PGD", "FGSM"]);
    expect(minimalAttacks({ ...quick, norm: "l2" }).map(({ name }) => name)).toEqual([
      "FMN",
      "FAB",
      "HopSkipJump",
      "boundary attack",
    ]);
    expect(minimalAttacks({ ...planOf(tinyCnn), norm: "l2" }).map(({ name }) => name)).toContain("DDN");
  });

  it("run once: those within the ball come behind the attack that gives their images, also where they are claimed", () => {
    const [first] = minimalAttacks(quick);
    const claimed = { ...quick, claim: { ...first!.within, from: undefined } } as unknown as typeof quick;
    for (const plan of [quick, claimed]) {
      const attacks = trialsOf(plan).map(({ attack }) => attack);
      for (const { free, within } of minimalAttacks(plan)) {
        expect(attacks.filter((attack) => attack === within.attack)).toHaveLength(1);
        expect(attacks.indexOf(free.attack)).toBeGreaterThanOrEqual(0);
        expect(attacks.indexOf(within.attack)).toBeGreaterThan(attacks.indexOf(free.attack));
      }
    }
    expect(trialsOf(claimed).find(({ attack }) => attack === first!.within.attack)!.from).toBeDefined();
  });
});

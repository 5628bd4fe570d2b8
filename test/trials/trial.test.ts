import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange } from "../../src/engine/index.js";
import { blackBox, claimTrial, type Trial, trialLabel, whiteBox } from "../../src/evaluation/audit/index.js";
import { runTrialBatch } from "../../src/trials/run-trial.js";
import { goldenImages, maxDifference, quantizedCnn, tinyCnn } from "../attacks/tiny-networks.js";

const imageIds = imageIdRange(0, 6);
const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds };
const labels = tinyCnn.logits(goldenImages, noise).argmax(1);
const batch = { images: goldenImages, labels, imageIds };
const given = { seed: deriveSeed(0, "trial"), draws: 4 };

describe("a claim", () => {
  it.each([
    ["pgd()", true],
    ["restarts(pgd(), times=2)", true],
    ["worst-case(pgd(), apgd())", true],
    ["autoattack(version=rand)", true],
    ["autoattack()", false],
    ["autoattack(version=randomized)", false],
    ["restarts(autoattack(), times=2)", false],
    ["worst-case(pgd(), square())", false],
    ["square()", false],
  ])("by %s goes by gradients alone: %s", (attack, expected) => {
    expect(claimTrial(attack).whiteBox).toBe(expected);
  });
});

describe("a trial of another's images within a radius", () => {
  const free = blackBox("hop-skip-jump(norm=linf, steps=2, samples=10)");
  const within = blackBox("within(hop-skip-jump(norm=linf, steps=2, samples=10), epsilon=0.1)");

  it.each([
    ["deterministic", tinyCnn],
    ["randomized", quantizedCnn],
  ])("shows a %s network what the attack itself would, to the bit", (_, model) => {
    const found = runTrialBatch({ model }, free, batch, given);
    const { even, odd, passes } = found.record;
    const earlier = { images: found.images, correct: even.map((count, i) => count + odd[i]!), passes };
    const taken = runTrialBatch({ model }, { ...within, from: free }, batch, { ...given, earlier });
    const alone = runTrialBatch({ model }, within, batch, given);
    expect(taken.images.toNumbers()).toEqual(alone.images.toNumbers());
    expect({ ...taken.record, seconds: 0 }).toEqual({ ...alone.record, seconds: 0 });
    expect(trialLabel({ ...within, from: free })).toBe(trialLabel(within));
    // Neither all of the images nor none.
    const near = found.record.lengths.filter((length) => length <= 0.1).length;
    expect([near > 0, near < 6]).toEqual([true, true]);
  });
});

describe("a trial after another", () => {
  const first = whiteBox("pgd(epsilon=0.05, stepSize=0.01, steps=5)");
  const second: Trial = { ...whiteBox("apgd(epsilon=0.05, steps=5)"), after: first };

  it("attacks what the first has left, to the same images as alone, and keeps the rest", () => {
    const before = runTrialBatch({ model: tinyCnn }, first, batch, given);
    // As if the first had fooled the network on images 0, 2 and 4.
    const correct = [0, 1, 0, 1, 0, 1];
    const after = runTrialBatch({ model: tinyCnn }, second, batch, {
      ...given,
      earlier: { images: before.images, correct, passes: { forward: 0, backward: 0 } },
    });
    const alone = runTrialBatch({ model: tinyCnn }, { ...second, after: undefined } as unknown as Trial, batch, given);
    for (const i of [0, 1, 2, 3, 4, 5]) {
      const from = correct[i] === 0 ? before : alone;
      expect(maxDifference(after.images.select(0, i), from.images.select(0, i))).toBeLessThan(1e-5);
    }
    expect(after.record.passes.backward).toBe(alone.record.passes.backward / 2);
    expect(trialLabel(second)).toMatch(/^apgd\(.*\) where pgd\(.*\) fails$/);
  });

  it("does nothing where nothing is left", () => {
    const earlier = { images: goldenImages, correct: [0, 0, 0, 0, 0, 0], passes: { forward: 0, backward: 0 } };
    const { images, record } = runTrialBatch({ model: tinyCnn }, second, batch, { ...given, earlier });
    expect(maxDifference(images, goldenImages)).toBe(0);
    expect(record.passes).toEqual({ forward: 0, backward: 0 });
  });

  it("attacks every image of a randomized network", () => {
    const earlier = { images: goldenImages, correct: [0, 0, 0, 0, 0, 0], passes: { forward: 0, backward: 0 } };
    const { record } = runTrialBatch({ model: quantizedCnn }, second, batch, { ...given, earlier });
    expect(record.passes.backward).toBeGreaterThanOrEqual(6 * 5);
  });
});

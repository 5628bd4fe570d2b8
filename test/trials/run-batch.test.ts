import { describe, expect, it } from "vitest";
import {
  type Attack,
  apgd,
  backward,
  expectation,
  hopSkipJump,
  pgd,
  restarts,
  within,
  worstCase,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange } from "../../src/engine/index.js";
import { nanGradients } from "../../src/evaluation/audit/self-test/broken-defenses.js";
import { blackBox, playerOf, runBatch, trialSeeds, whiteBox } from "../../src/trials/index.js";
import { goldenImages, maxDifference, quantizedCnn, tinyCnn } from "../attacks/tiny-networks.js";

const imageIds = imageIdRange(0, 6);
const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds };
const labels = tinyCnn.logits(goldenImages, noise).argmax(1);
const batch = { images: goldenImages, labels, imageIds };
const given = { players: { model: tinyCnn }, seeds: trialSeeds(0, "test"), draws: 4 };

describe("a trial of another's images within a radius", () => {
  const jump = hopSkipJump({ norm: "linf", steps: 2, samples: 10 });
  const free = blackBox(jump);
  const near = blackBox(within(jump, { epsilon: 0.1 }), { from: free });

  it.each([
    ["deterministic", tinyCnn],
    ["randomized", quantizedCnn],
  ])("shows a %s model what the attack itself would, to the bit", (_, model) => {
    const run = { ...given, players: { model } };
    const found = runBatch(free, batch, run);
    const { even, odd, passes } = found.record;
    const earlier = { images: found.images, correct: even.map((count, i) => count + odd[i]!), passes };
    const taken = runBatch(near, batch, { ...run, earlier });
    const alone = runBatch({ ...near, from: undefined }, batch, run);
    expect(taken.images.toNumbers()).toEqual(alone.images.toNumbers());
    expect({ ...taken.record, seconds: 0 }).toEqual({ ...alone.record, seconds: 0 });
    // Neither all of the images nor none.
    const count = found.record.lengths.filter((length) => length <= 0.1).length;
    expect([count > 0, count < 6]).toEqual([true, true]);
  });
});

describe("a trial after another", () => {
  const first = whiteBox(pgd({ epsilon: 0.05, stepSize: 0.01, steps: 5 }));
  const second = whiteBox(apgd({ epsilon: 0.05, steps: 5 }), { after: first });
  const none = { forward: 0, backward: 0 };

  it("attacks what the first did not turn, to the same images as alone, and keeps the rest", () => {
    const before = runBatch(first, batch, given);
    // As if the first had fooled the model on images 0, 2 and 4.
    const correct = [0, 1, 0, 1, 0, 1];
    const after = runBatch(second, batch, {
      ...given,
      earlier: { images: before.images, correct, passes: none },
    });
    const alone = runBatch({ ...second, after: undefined }, batch, given);
    for (const i of [0, 1, 2, 3, 4, 5]) {
      const from = correct[i] === 0 ? before : alone;
      expect(maxDifference(after.images.select(0, i), from.images.select(0, i))).toBeLessThan(1e-5);
    }
    expect(after.record.passes.backward).toBe(alone.record.passes.backward / 2);
  });

  it("does nothing where every image was turned", () => {
    const earlier = { images: goldenImages, correct: [0, 0, 0, 0, 0, 0], passes: none };
    const { images, record } = runBatch(second, batch, { ...given, earlier });
    expect(maxDifference(images, goldenImages)).toBe(0);
    expect(record.passes).toEqual(none);
  });

  it("attacks every image of a randomized model", () => {
    const earlier = { images: goldenImages, correct: [0, 0, 0, 0, 0, 0], passes: none };
    const { record } = runBatch(second, batch, { ...given, players: { model: quantizedCnn }, earlier });
    expect(record.passes.backward).toBeGreaterThanOrEqual(6 * 5);
  });
});

describe("a stop by gradients that are not finite", () => {
  const model = { ...tinyCnn, surrogates: { broken: nanGradients(tinyCnn) } };
  const through = backward(pgd({ epsilon: 0.05, steps: 2 }), { through: "broken" });
  const stopOf = (attack: Attack) =>
    runBatch(whiteBox(attack), batch, { ...given, players: { model } }).record.stop;

  it.each([
    ["in backward", through],
    ["further inside", restarts(expectation(through), { times: 2 })],
    ["in all of several attacks", worstCase([through, restarts(through)])],
  ])("is the surrogate's that they are taken through: %s", (_, attack) => {
    expect(stopOf(attack)).toMatchObject({ what: "gradients", player: "surrogate:broken" });
  });

  it("is the model's where one of several attacks takes its own", () => {
    expect(stopOf(worstCase([through, pgd({ epsilon: 0.05 })]))?.player).toBe("model");
  });
});

describe("players", () => {
  const players = {
    model: { ...quantizedCnn, surrogates: { mean: tinyCnn } },
    transfers: { other: tinyCnn },
  };
  const answer = (player: Parameters<typeof playerOf>[1], seed: string, draw = 0) =>
    playerOf(players, player)
      .logits(goldenImages, { seed: deriveSeed(0, seed), draw, imageIds })
      .toNumbers();

  it("with a fixed seed answer the same whatever the draw, and otherwise with another", () => {
    expect(playerOf(players, "fixed-seed:0").randomized).toBe(false);
    expect(answer("fixed-seed:0", "a", 0)).toEqual(answer("fixed-seed:0", "b", 5));
    expect(answer("fixed-seed:0", "a")).not.toEqual(answer("fixed-seed:1", "a"));
    expect(answer("model", "a", 0)).not.toEqual(answer("model", "a", 5));
  });

  it("are told by name, and those that there are not refused", () => {
    expect(playerOf(players, "surrogate:mean")).toBe(tinyCnn);
    expect(playerOf(players, "transfer:other")).toBe(tinyCnn);
    expect(() => playerOf(players, "surrogate:twin")).toThrow(
      'no surrogate of the model is named "twin"; known: mean',
    );
    expect(() => playerOf({ model: tinyCnn }, "transfer:x")).toThrow(
      'no transfer is named "x"; there is none',
    );
  });
});

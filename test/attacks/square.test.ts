import { describe, expect, test } from "vitest";
import { squareShare } from "../../src/attacks/black-box/square.js";
import { bumps, l2Search } from "../../src/attacks/black-box/square-l2.js";
import { linfSearch } from "../../src/attacks/black-box/square-linf.js";
import { squarePixels } from "../../src/attacks/black-box/squares.js";
import { expectation, square, Victim } from "../../src/attacks/index.js";
import { imageIdRange, type Tensor } from "../../src/engine/index.js";
import { margin } from "../../src/nn/losses.js";
import {
  coinClassifier,
  contextOf,
  grayImages,
  linearClassifier,
  randomWeights,
  zeroLabels,
} from "./linear-networks.js";
import { maxDifference, randomBatch, randomCnn } from "./tiny-networks.js";

const shape = [2, 8, 8] as const;
const weights = randomWeights(128);
/** The margin never reaches 0, so the search goes on to its end. */
const far = linearClassifier(shape, weights, -1e3);
const images = grayImages(4, shape);
const perturbed = (options: Parameters<typeof square>[0]) =>
  square(options)(far, images, zeroLabels(4), contextOf(imageIdRange(0, 4))).sub(images);
const ascent = (delta: Tensor) =>
  delta
    .flatten(1)
    .matmul(weights.reshape([-1, 1]))
    .toNumbers();

describe("the share of pixels in a square", () => {
  // fra31/auto-attack, autoattack/square.py: p_selection.
  test("halves at the paper's iterations", () => {
    const at = [0, 10, 11, 50, 51, 200, 201, 500, 501, 1000, 1001, 2000, 2001, 4000, 4001, 4999];
    const wanted = [
      0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625, 0.00625,
    ];
    const options = { pInit: 0.8, queries: 5000, rescaleSchedule: false };
    expect(at.map((iteration) => squareShare(iteration, options))).toEqual(wanted);
  });

  test("halves in proportion when the schedule is rescaled", () => {
    const at = [0, 1, 2, 5, 6, 20, 21, 50, 51, 100, 101, 200, 201, 400, 401, 600, 601, 800, 801, 999];
    const wanted = at.map((_, i) => 0.8 / 2 ** Math.floor(i / 2));
    const options = { pInit: 0.8, queries: 1000, rescaleSchedule: true };
    expect(at.map((iteration) => squareShare(iteration, options))).toEqual(wanted);
  });
});

describe("squares", () => {
  test("reach every position alike, the last one included", () => {
    const count = 4000;
    const victim = new Victim(far, contextOf(imageIdRange(0, count)), "places");
    const uniforms = victim.uniform([2, 1], 0, 1, 0);
    const many = grayImages(1, [1, 5, 7]).expand([count, 1, 5, 7]);
    const pixels = squarePixels(uniforms.slice(1, 0, 1), uniforms.slice(1, 1, 2), 3, many);
    const inside = many.flatten(2).zerosLike().scatterValue(2, pixels, 1);
    expect(inside.sumDim([1, 2]).eq(9).all().item()).toBe(1);
    // A corner pixel is covered by one of 3 x 5 positions, the middle one by 9 of them.
    const covered = inside.meanDim([0]).toNumbers();
    const tolerance = 4 * Math.sqrt(0.25 / count);
    for (const corner of [0, 6, 28, 34]) expect(Math.abs(covered[corner]! - 1 / 15)).toBeLessThan(tolerance);
    expect(Math.abs(covered[17]! - 9 / 15)).toBeLessThan(tolerance);
  });

  test("are each image's own, and change a square to the ball's corners and nothing else", () => {
    const many = grayImages(50, shape);
    const victim = new Victim(far, contextOf(imageIdRange(0, 50)), "own");
    const state = { images: many, labels: zeroLabels(50), adversarial: many, margins: zeroLabels(50) };
    const delta = linfSearch.propose(victim, state, 3, 0.25, 7).sub(many);
    expect(delta.abs().gt(0).to("float32").sumDim([1, 2, 3]).eq(18).all().item()).toBe(1);
    expect(new Set(delta.toNumbers())).toEqual(new Set([-0.25, 0, 0.25]));
    const rows = Array.from({ length: 50 }, (_, i) => delta.select(0, i).toNumbers().join());
    expect(new Set(rows).size).toBeGreaterThan(30);
  });

  test("of l2 have two opposite bumps, of length 1, highest in their middles", () => {
    // By hand from section 3.3 for a side of 3: bumps of 1 x 3 and 2 x 3, both with n = 1.
    const unscaled = [0.25, 1.25, 0.25, -0.25, -0.25, -0.25, -0.25, -1.25, -0.25];
    const length = Math.hypot(...unscaled);
    bumps(3).forEach((value, i) => {
      expect(value).toBeCloseTo(unscaled[i]! / length, 12);
    });
    expect(Math.hypot(...bumps(7))).toBeCloseTo(1, 12);
  });

  test("of l2 keep the whole radius in use, and leave pixels outside both squares but for a common factor", () => {
    const victim = new Victim(far, contextOf(imageIdRange(0, 4)), "l2");
    const adversarial = l2Search.start(victim, images, 0.4);
    const state = { images, labels: zeroLabels(4), adversarial, margins: zeroLabels(4) };
    const before = adversarial.sub(images);
    const after = l2Search.propose(victim, state, 3, 0.4, 3).sub(images);
    for (const delta of [before, after]) {
      for (const length of delta.square().sumDim([1, 2, 3]).sqrt().toNumbers())
        expect(length).toBeCloseTo(0.4, 5);
    }
    // What the second square loses, the first one has.
    expect(
      after.sub(before).abs().gt(1e-5).to("float32").sumDim([1, 2, 3]).amax().item(),
    ).toBeLessThanOrEqual(36);
  });
});

describe("on a linear network", () => {
  test("l-infinity comes close to the best there is, epsilon * |w|_1", () => {
    const best = 0.2 * weights.abs().sum().item();
    for (const value of ascent(perturbed({ epsilon: 0.2, queries: 2000 }))) {
      expect(value).toBeLessThanOrEqual(best + 1e-4);
      expect(value).toBeGreaterThan(0.95 * best);
    }
  });

  test("l2 gains far over its start, and never passes the best there is, epsilon * |w|_2", () => {
    const best = 0.4 * weights.square().sum().sqrt().item();
    const [start, end] = [1, 800].map((queries) => ascent(perturbed({ norm: "l2", epsilon: 0.4, queries })));
    end!.forEach((value, i) => {
      expect(value).toBeLessThanOrEqual(best + 1e-4);
      expect(value).toBeGreaterThan(0.5 * best);
      expect(value).toBeGreaterThan(start![i]!);
    });
  });
});

describe("an image", () => {
  test("has the same result whichever images were fooled before it, and costs nothing once it is", () => {
    const { images: some, labels, ids } = randomBatch(16, randomCnn);
    const attack = square({ epsilon: 0.08, queries: 60 });
    const passes = { forward: 0, backward: 0 };
    const whole = attack(randomCnn, some, labels, contextOf(ids, 5, passes));
    const fooled = randomCnn
      .logits(whole, { ...contextOf(ids), draw: 0 })
      .argmax(1)
      .ne(labels)
      .toNumbers();
    const count = fooled.filter(Boolean).length;
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(16);
    expect(passes.forward).toBeLessThan(16 * 61);
    for (let i = 0; i < 16; i++) {
      const row = (all: Tensor) => all.slice(0, i, i + 1);
      const alone = attack(randomCnn, row(some), row(labels), contextOf(row(ids)));
      expect(maxDifference(alone, row(whole))).toBeLessThan(1e-5);
    }
  });
});

describe("against a randomized network", () => {
  test("a coin classifier keeps its accuracy, and every image stays in the batch", () => {
    const coin = coinClassifier(0.7);
    const ids = imageIdRange(0, 64);
    const passes = { forward: 0, backward: 0 };
    const clean = grayImages(64, [1, 4, 4]);
    const attacked = square({ queries: 10, draws: 4 })(
      coin,
      clean,
      zeroLabels(64),
      contextOf(ids, 5, passes),
    );
    expect(passes.forward).toBe(64 * 4 * 11);
    const judge = new Victim(coin, contextOf(ids, 6), "judge");
    const wrong = (logits: Tensor, labels: Tensor) => logits.argmax(1).ne(labels).to("float32");
    const error = judge.meanLoss(attacked, zeroLabels(64), wrong, 50).mean().item();
    expect(Math.abs(error - 0.3)).toBeLessThan(4 * Math.sqrt(0.21 / 3200));
  });

  test("expectation says how many draws an answer is a mean of", () => {
    const coin = coinClassifier(0.7);
    const passes = { forward: 0, backward: 0 };
    const attack = expectation(square({ queries: 3, draws: 4 }), { draws: 7 });
    attack(coin, grayImages(2, [1, 4, 4]), zeroLabels(2), contextOf(imageIdRange(0, 2), 5, passes));
    expect(passes.forward).toBe(2 * 7 * 4);
  });

  test("a query is the mean over draws, the same at every call and others in another round", () => {
    const coin = coinClassifier(0.7);
    const victim = new Victim(coin, contextOf(imageIdRange(0, 40)), "query");
    const [clean, labels] = [grayImages(40, [1, 4, 4]), zeroLabels(40)];
    const ask = (round: number) => victim.query(clean, labels, margin, 100, round);
    expect(ask(0).toNumbers()).toEqual(ask(0).toNumbers());
    expect(maxDifference(ask(0), ask(1))).toBeGreaterThan(0.1);
    // Margins are -20 and 20, so their mean is -20 * 0.7 + 20 * 0.3.
    expect(Math.abs(ask(0).mean().item() + 8)).toBeLessThan(4 * 40 * Math.sqrt(0.21 / 4000));
  });
});

test("a radius in gray levels is refused", () => {
  expect(() => square({ epsilon: 8 })).toThrow("8/255");
});

import { describe, expect, test } from "vitest";
import {
  type Attack,
  bim,
  expectation,
  fgsm,
  miFgsm,
  minimalEpsilon,
  niFgsm,
  pgd,
  restarts,
  worstCase,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform, imageIdRange, operators as ops, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { crossEntropy } from "../../src/nn/losses.js";
import { goldenImages, randomBatch, randomCnn } from "./tiny-networks.js";

const { images, labels, ids } = randomBatch(24, randomCnn);
const context = { seed: deriveSeed(4, "aim"), imageIds: ids };
const clean = randomCnn.logits(images, { ...context, draw: 0 });
const predictions = (adversarial: Tensor) => randomCnn.logits(adversarial, { ...context, draw: 0 }).argmax(1);
const ranking = clean.sort(1, true)[1];
const strong = { epsilon: 0.3, stepSize: 0.05, steps: 20 };

describe("targeted attacks", () => {
  test.each([
    ["next", 1],
    ["least-likely", 9],
  ] as const)("%s leads to the class of rank %i", (target, rank) => {
    const wanted = ranking.select(1, rank).toNumbers();
    const reached = predictions(pgd({ ...strong, target })(randomCnn, images, labels, context)).toNumbers();
    expect(reached.filter((value, i) => value === wanted[i]).length).toBeGreaterThan(16);
  });

  test.each([
    ["bim", bim],
    ["mi-fgsm", miFgsm],
    ["ni-fgsm", niFgsm],
  ] as const)("%s leads there as well", (_, attack) => {
    const wanted = ranking.select(1, 9).contiguous();
    const lossTo = (some: Tensor) =>
      crossEntropy(randomCnn.logits(some, { ...context, draw: 0 }), wanted)
        .mean()
        .item();
    const adversarial = attack({ ...strong, target: "least-likely" })(randomCnn, images, labels, context);
    expect(lossTo(adversarial)).toBeLessThan(lossTo(images) / 2);
  });

  test("next skips the label of an image that is misclassified", () => {
    const second = ranking.select(1, 1).contiguous();
    const adversarial = pgd({ epsilon: 0.01, steps: 5, target: "next" })(randomCnn, images, second, context);
    expect(predictions(adversarial).toNumbers()).toEqual(labels.toNumbers());
  });

  test("a number leaves images of that class as they are", () => {
    const target = labels.select(0, 0).item();
    const adversarial = pgd({ ...strong, target })(randomCnn, images, labels, context);
    const moved = adversarial.sub(images).abs().amax([1, 2, 3]).gt(0).toNumbers();
    expect(moved).toEqual(labels.ne(target).toNumbers());
  });

  test("a class that the network does not have is refused", () => {
    const run = () =>
      pgd({ target: 10 })(randomCnn, goldenImages, labels.slice(0, 0, 6), {
        ...context,
        imageIds: imageIdRange(0, 6),
      });
    expect(run).toThrow('attack pgd: option "target" cannot be 10; accepted: the classes 0 .. 9');
  });
});

test("attacks on predicted labels keep the restart that is worst for the true ones", () => {
  // Every image is misclassified, so that leading away from the prediction may lead back to the label.
  const truth = ranking.select(1, 1).contiguous();
  const wrong = (restarts: number) => {
    const attack = pgd({ epsilon: 0.1, stepSize: 0.05, steps: 3, labels: "predicted", restarts });
    return predictions(attack(randomCnn, images, truth, context))
      .ne(truth)
      .toNumbers();
  };
  const one = wrong(1);
  const many = wrong(8);
  expect(one).toContain(0);
  expect(many.filter((value, i) => value < one[i]!)).toEqual([]);
  expect(many.filter((value) => value === 1).length).toBeGreaterThan(
    one.filter((value) => value === 1).length,
  );
});

describe("the goal of a targeted attack", () => {
  const leastLikely = ranking.select(1, 9).toNumbers();
  const weak = { epsilon: 0.25, stepSize: 0.08, steps: 3, target: "least-likely" } as const;
  const reached = (attack: Attack) => {
    const classes = predictions(attack(randomCnn, images, labels, context)).toNumbers();
    return [...classes].map((value, i) => value === leastLikely[i]);
  };
  const count = (flags: boolean[]) => flags.filter(Boolean).length;

  test.each([
    ["its own option", (times: number) => pgd({ ...weak, restarts: times })],
    ["the combinator", (times: number) => restarts(pgd(weak), { times })],
  ] as const)("decides between restarts by %s, which never lose an image", (_, of) => {
    const [one, many] = [reached(of(1)), reached(of(8))];
    expect(count(one)).toBeGreaterThan(0);
    expect(count(many)).toBeGreaterThan(count(one));
    expect(many.filter((value, i) => !value && one[i])).toEqual([]);
  });

  test("decides between attacks that share it; others are judged by their errors", () => {
    const near = fgsm({ epsilon: 0.25 });
    const aimed = [fgsm({ epsilon: 0.25, target: "least-likely" }), pgd(weak)];
    const each = aimed.map(reached);
    const both = worstCase(aimed);
    expect(both.traits.target).toBe("least-likely");
    expect(reached(both)).toEqual(each[0]!.map((flag, i) => flag || each[1]![i]));
    expect(worstCase([near, pgd(weak)]).traits.target).toBeUndefined();
    const wrong = (attack: Attack) =>
      [
        ...predictions(attack(randomCnn, images, labels, context))
          .ne(labels)
          .toNumbers(),
      ].map((flag) => flag === 1);
    const mixed = wrong(worstCase([near, pgd(weak)]));
    expect(mixed).toEqual(wrong(near).map((flag, i) => flag || wrong(pgd(weak))[i]));
  });

  test("is reached at the smallest radius", () => {
    const attack = minimalEpsilon(pgd({ ...weak, stepSize: undefined, steps: 10 }), {
      maximum: 0.3,
      rounds: 4,
    });
    const adversarial = attack(randomCnn, images, labels, context);
    const moved = adversarial.sub(images).abs().amax([1, 2, 3]).gt(0).toNumbers();
    expect(count(reached(attack))).toBeGreaterThan(12);
    expect(reached(attack)).toEqual([...moved].map((flag) => flag === 1));
  });
});

describe("the goal of a randomized classifier", () => {
  /** Class 0 leads; 1 is next in about half of the draws, 2 in the others. Black leads to 1, white to 2. */
  const wavering: Classifier = {
    inputShape: [2, 8, 8],
    classes: 3,
    randomized: true,
    logits(shown, noise) {
      const shift = shown.meanDim([1, 2, 3]).unsqueeze(1).sub(0.5).mul(20);
      const heads = countedUniform(noise, 0, [1]).ge(0.5).to("float32").sub(0.5);
      const [one, two] = [heads.sub(shift), shift.sub(heads)];
      return ops.cat([heads.zerosLike().add(2), one, two], 1);
    },
  };
  const gray = images.zerosLike().add(0.5);
  const zeros = labels.zerosLike();
  /** -1 for images that an attack makes darker, 1 for those that it makes lighter, 0 for the others. */
  const ways = (attack: Attack) => [
    ...attack(wavering, gray, zeros, context).sub(gray).meanDim([1, 2, 3]).sign().toNumbers(),
  ];

  test.each(["next", "least-likely"] as const)("is one class for attacks inside others: %s", (target) => {
    const attack = pgd({ epsilon: 0.4, steps: 4, target });
    const alone = ways(attack);
    expect(new Set(alone)).toEqual(new Set([-1, 1]));
    for (const outer of [
      minimalEpsilon(attack, { maximum: 0.4, rounds: 2 }),
      restarts(attack, { times: 3 }),
      worstCase([attack, bim({ epsilon: 0.4, steps: 4, target })]),
      expectation(attack, { draws: 3 }),
    ]) {
      expect(ways(outer), String(outer)).toEqual(alone);
    }
  });
});

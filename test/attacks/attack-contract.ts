import { describe, expect, test } from "vitest";
import { type Attack, attacks, type Norm, type PassCounter } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import {
  imageIdRange,
  liveTensors,
  operators as ops,
  scope,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import {
  accuracy,
  goldenImages,
  goldenLabels,
  maxDifference,
  quantizedCnn,
  randomBatch,
  randomCnn,
  tinyCnn,
} from "./tiny-networks.js";

/** Networks that an attack is tried on, the first one deterministic. */
export type Networks = readonly [string, Classifier][];

const tinyNetworks: Networks = [
  ["the golden network", tinyCnn],
  ["a random network", randomCnn],
  ["a randomized network", quantizedCnn],
];

const contextOf = (ids: Tensor, seed = 5) => ({ seed: deriveSeed(seed, "contract"), imageIds: ids });
const rows = (t: Tensor, from: number, to: number) => t.slice(0, from, to);

const lengths: Record<Norm, (difference: Tensor) => Tensor> = {
  linf: (difference) => difference.abs(),
  l2: (difference) => difference.square().sumDim([1, 2, 3]).sqrt(),
  l1: (difference) => difference.abs().sumDim([1, 2, 3]),
};

function distance({ traits: { norm } }: Attack, adversarial: Tensor, images: Tensor): number {
  return norm === "none" ? 0 : lengths[norm](adversarial.sub(images)).amax().item();
}

/** A classifier with other answers, and those behind its levels changed alike. */
function answering(model: Classifier, change: (logits: () => Tensor, images: Tensor) => Tensor): Classifier {
  const { levels } = model;
  return {
    ...model,
    logits: (images, noise) => change(() => model.logits(images, noise), images),
    levels: levels && { ...levels, behind: answering(levels.behind, change) },
  };
}

/**
 * A classifier that looks at one image at a time. Convolutions round differently for another batch size, and
 * an attack that hangs on last bits, such as by decisions at a boundary, would go another way.
 */
function oneByOne(model: Classifier): Classifier {
  const { levels } = model;
  return {
    ...model,
    logits: (images, noise) =>
      ops.cat(
        Array.from({ length: images.shape[0]! }, (_, i) =>
          model.logits(rows(images, i, i + 1), { ...noise, imageIds: rows(noise.imageIds, i, i + 1) }),
        ),
      ),
    levels: levels && { ...levels, behind: oneByOne(levels.behind) },
  };
}

/**
 * Tests of everything that an attack promises, whoever wrote it.
 *
 * @param networks classifiers of ten classes for images of 2 x 8 x 8
 */
export function keepsContract(attack: Attack, networks = tinyNetworks): void {
  const [, first] = networks[0]!;
  describe.each(networks)("on %s", (_, model) => {
    const { images, labels, ids } = randomBatch(7, model);
    const run = (from = 0, to = 7, seed = 5, asked = model) =>
      attack(asked, rows(images, from, to), rows(labels, from, to), contextOf(rows(ids, from, to), seed));
    const whole = run();

    test("stays in the ball and in [0, 1], in the images' shape", () => {
      expect(whole.shape).toEqual(images.shape);
      expect(whole.dtype).toBe("float32");
      expect(whole.amin().item()).toBeGreaterThanOrEqual(0);
      expect(whole.amax().item()).toBeLessThanOrEqual(1);
      const { radius } = attack.traits;
      if (radius !== undefined)
        expect(distance(attack, whole, images)).toBeLessThanOrEqual(radius + 1e-6 * Math.max(1, radius));
    });

    test("lowers accuracy", () => {
      const clean = accuracy(model, images, labels);
      expect(clean).toBeGreaterThan(0.5);
      // Of a few steps on a randomized network, chosen between by few draws, some do a little good; more so a
      // step towards a class that it does not reach.
      const { target = "none" } = attack.traits;
      const slack = model.randomized ? (target === "none" ? 0.1 : 0.2) : 0;
      expect(accuracy(model, whole, labels)).toBeLessThanOrEqual(clean + slack);
    });

    test("gives an image the same result alone, in batches of 3 and 4, and in 7", () => {
      // Sums over more rows may round differently; noise keyed by place would differ by whole steps.
      const single = oneByOne(model);
      const all = run(0, 7, 5, single);
      for (const [from, to] of [
        [0, 3],
        [3, 7],
        [6, 7],
      ] as const) {
        expect(maxDifference(run(from, to, 5, single), rows(all, from, to))).toBeLessThan(1e-5);
      }
    });

    test.skipIf(model.randomized)(
      "has successes that are misclassified in any batch, and moves no image in vain",
      () => {
        const wrong = (from: number, to: number) => {
          const logits = model.logits(rows(whole, from, to), { ...contextOf(rows(ids, from, to)), draw: 0 });
          return logits
            .argmax(1)
            .ne(rows(labels, from, to))
            .toNumbers();
        };
        const together = [...wrong(0, 7)];
        expect(Array.from({ length: 7 }, (_, i) => wrong(i, i + 1)[0])).toEqual(together);
        expect([...wrong(0, 3), ...wrong(3, 7)]).toEqual(together);
        // An attack that minimizes the distance moves those images that it can fool.
        const { norm, radius, target = "none" } = attack.traits;
        if (radius !== undefined || norm === "none" || target !== "none") return;
        expect([...whole.sub(images).abs().amax([1, 2, 3]).gt(0).toNumbers()]).toEqual(together);
      },
    );

    test("is the same for a seed, and another for another seed if it draws noise", () => {
      expect(run().toArray()).toEqual(whole.toArray());
      if (attack.traits.randomized) expect(maxDifference(run(0, 7, 6), whole)).toBeGreaterThan(1e-4);
    });

    test("frees all but its result, which does not live in the images' memory", () => {
      const before = liveTensors();
      scope(() => {
        run();
      });
      // Tensors that earlier tests dropped may be collected meanwhile.
      expect(liveTensors().tensors).toBeLessThanOrEqual(before.tensors);
      const copy = images.clone();
      const adversarial = attack(model, copy, labels, contextOf(ids));
      copy.zero_();
      expect(adversarial.toArray()).toEqual(whole.toArray());
    });

    test("counts the passes that each image would take alone", () => {
      const [passes, alone] = [0, 1].map(() => ({ forward: 0, backward: 0 })) as [PassCounter, PassCounter];
      let calls = 0;
      const single = oneByOne(model);
      const counting = answering(single, (logits, batch) => {
        calls += batch.shape[0]!;
        return logits();
      });
      attack(single, images, labels, { ...contextOf(ids), passes });
      for (let i = 0; i < 7; i++) {
        const [image, label, id] = [images, labels, ids].map((all) => rows(all, i, i + 1));
        attack(counting, image!, label!, { ...contextOf(id!), passes: alone });
      }
      expect(passes.forward).toBe(calls);
      expect(passes).toEqual(alone);
      expect(passes.backward > 0).toBe(attack.traits.usesGradients);
      // A gradient goes back through every pass that it is a mean over.
      if (attack.name === "expectation") expect(passes.backward).toBe(passes.forward);
    });
  });

  test("takes an empty batch, and images of black and white pixels only", () => {
    const none = rows(goldenImages, 0, 0);
    expect(attack(first, none, rows(goldenLabels, 0, 0), contextOf(imageIdRange(0, 0))).shape).toEqual([
      0, 2, 8, 8,
    ]);
    const extreme = goldenImages.round();
    const adversarial = attack(first, extreme, goldenLabels, contextOf(imageIdRange(0, 6)));
    expect(adversarial.isfinite().all().item()).toBe(1);
  });

  test("comes back from its text, its JSON and its call", () => {
    for (const given of [
      String(attack),
      JSON.parse(JSON.stringify(attack)),
      JSON.parse(JSON.stringify(attack.call)),
    ]) {
      const again = attacks.parse(given);
      expect(String(again)).toBe(String(attack));
      expect(again.options).toEqual(attack.options);
      expect(again.call).toEqual(attack.call);
      expect(again.traits).toEqual(attack.traits);
    }
  });

  test("refuses bad images, labels and ids, each by name", () => {
    const run = (images: Tensor, labels = goldenLabels, ids = imageIdRange(0, 6)) =>
      attack(first, images, labels, contextOf(ids));
    expect(() => run(goldenImages.add(0.5))).toThrow(
      /^pixels must lie in \[0, 1\], found 0\.5\d* \.\. 1\.4\d*$/,
    );
    expect(() => run(goldenImages.mul(Number.NaN))).toThrow("pixels must lie in [0, 1], found NaN");
    expect(() => run(goldenImages.to("float64"))).toThrow(TypeError);
    expect(() => run(goldenImages.to("float64"))).toThrow("images must be float32");
    expect(() => run(goldenImages.reshape([6, 1, 16, 8]))).toThrow(
      "images must have shape [N, 2, 8, 8], not [6, 1, 16, 8]",
    );
    expect(() => run(goldenImages.select(0, 0))).toThrow(
      "images must have shape [N, 2, 8, 8], not [2, 8, 8]",
    );
    expect(() => run(goldenImages, goldenLabels.add(6))).toThrow("labels must lie in 0 .. 9");
    expect(() => run(goldenImages, goldenLabels.sub(2))).toThrow("labels must lie in 0 .. 9");
    expect(() => run(goldenImages, rows(goldenLabels, 0, 5))).toThrow("labels must have shape [6]");
    expect(() => run(goldenImages, goldenLabels.to("float32"))).toThrow("labels must be int64, not float32");
    expect(() => run(goldenImages, goldenLabels, imageIdRange(0, 5))).toThrow(
      "context.imageIds must have shape [6]",
    );
    expect(() => run(goldenImages, goldenLabels, tensor([0, 1, 2, 3, 4, 5]))).toThrow(
      "context.imageIds must be int64, not float32",
    );
  });

  test("says so when the network's numbers are not finite", () => {
    const broken = answering(first, (logits) => logits().mul(Number.NaN));
    const run = () => attack(broken, goldenImages, goldenLabels, contextOf(imageIdRange(0, 6)));
    const passes = { forward: 0, backward: 0 };
    attack(first, goldenImages, goldenLabels, { ...contextOf(imageIdRange(0, 6)), passes });
    // Who asks the network nothing learns of nothing.
    if (passes.forward === 0) return;
    expect(run).toThrow(
      /^attack [a-z0-9-]+: (the gradient of the classifier's loss is|the classifier's logits are) not finite$/,
    );
  });
}

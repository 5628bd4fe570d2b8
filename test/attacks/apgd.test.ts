import { describe, expect, test } from "vitest";
import { type ApgdRun, autoPgd } from "../../src/attacks/gradient/apgd.js";
import { checkpoints } from "../../src/attacks/gradient/apgd-steps.js";
import { apgd, apgdT, fgsm, pgd, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { crossEntropy, type Loss, losses, margin, targetedDlr } from "../../src/nn/losses.js";
import {
  golden,
  goldenImages,
  goldenLabels,
  load,
  maxDifference,
  quantizedCnn,
  randomBatch,
  randomCnn,
  tinyCnn,
} from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "golden"), imageIds: imageIdRange(0, 6) };
const goldenVictim = new Victim(tinyCnn, context, "apgd");
const fixed = { steps: 25, start: "image", radii: "constant", stopWhenFooled: false } as const;
const toTarget = golden.attacks.apgd_t_Linf_init_x!;
const target = tensor(toTarget.params.y_target as number[], [6], "int64");
const toTargetLoss: Loss = (logits, labels) => targetedDlr(logits, labels, target);
const lossesOf = (adversarial: Tensor, loss: Loss = crossEntropy) =>
  loss(tinyCnn.logits(adversarial, { ...context, draw: 0 }), goldenLabels).toNumbers();

/**
 * Expects published adversarial images. Step sizes hang on whether a loss has risen, which late in a run its
 * last bits say, and these differ between processors: one image may part, if it reaches 99 % of the loss.
 */
function expectPublished(
  adversarial: Tensor,
  published: Tensor,
  loss: Loss,
  rows = [0, 1, 2, 3, 4, 5],
): void {
  const row = (images: Tensor, i: number) => images.slice(0, i, i + 1);
  const parted = rows.filter((i) => maxDifference(row(adversarial, i), row(published, i)) >= 1e-6);
  expect(parted.length).toBeLessThanOrEqual(1);
  const [reached, wanted] = [lossesOf(adversarial, loss), lossesOf(published, loss)];
  for (const i of parted) expect(reached[i]).toBeGreaterThan(wanted[i]! - 0.01 * Math.abs(wanted[i]!));
}

describe("a run of APGD from the image itself equals AutoAttack's", () => {
  test.each([
    ["apgd_ce_Linf_init_x", "cross-entropy", "linf", 0.05],
    ["apgd_dlr_Linf_init_x", "dlr", "linf", 0.05],
    ["apgd_ce_L2_init_x", "cross-entropy", "l2", 0.5],
    ["apgd_dlr_L2_init_x", "dlr", "l2", 0.5],
    ["apgd_ce_L1_init_x", "cross-entropy", "l1", 2],
    ["apgd_dlr_L1_init_x", "dlr", "l1", 2],
  ] as const)("%s", (name, loss, norm, epsilon) => {
    const options: ApgdRun = { ...fixed, norm, epsilon, loss };
    const adversarial = autoPgd(options, goldenVictim, goldenImages, { labels: goldenLabels });
    expectPublished(adversarial, load(golden.attacks[name]!.adv), losses[loss]);
  });

  test("apgd_t_Linf_init_x", () => {
    const options: ApgdRun = { ...fixed, norm: "linf", epsilon: 0.05, loss: "dlr" };
    const adversarial = autoPgd(options, goldenVictim, goldenImages, { labels: goldenLabels, target });
    expectPublished(adversarial, load(toTarget.adv), toTargetLoss);
  });
});

test("step sizes are looked at after the published numbers of steps", () => {
  expect(checkpoints(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99]);
});

test("apgd-t leads correctly classified images to the published class first", () => {
  const attack = apgdT({ epsilon: 0.05, steps: 25, start: "image", targets: 1 });
  const adversarial = attack(tinyCnn, goldenImages, goldenLabels, context);
  // Image 4 is misclassified already: AutoAttack's second class is not the likeliest other than its label.
  expectPublished(adversarial, load(toTarget.adv), toTargetLoss, [0, 1, 2, 3, 5]);
});

const { images, labels, ids } = randomBatch(24, randomCnn);
const contextOf = (passes = { forward: 0, backward: 0 }) => ({ ...context, imageIds: ids, passes });
const fooled = (adversarial: Tensor) =>
  randomCnn
    .logits(adversarial, { ...contextOf(), draw: 0 })
    .argmax(1)
    .ne(labels)
    .toNumbers();
const count = (flags: number[]) => flags.filter((flag) => flag === 1).length;

describe("against a deterministic network", () => {
  const small = { epsilon: 0.02, steps: 20 };

  test("stops at an image's first error, with as many errors from fewer passes", () => {
    const whole = { forward: 0, backward: 0 };
    const fewer = { forward: 0, backward: 0 };
    const attacked = apgd(small)(randomCnn, images, labels, contextOf(whole));
    const stopped = apgd({ ...small, stopWhenFooled: true })(randomCnn, images, labels, contextOf(fewer));
    expect(fooled(stopped)).toEqual(fooled(attacked));
    expect(count(fooled(stopped))).toBeGreaterThan(4);
    expect(count(fooled(stopped))).toBeLessThan(24);
    expect(whole.backward).toBe(24 * 21);
    expect(fewer.backward).toBeLessThan(0.9 * whole.backward);
    // An image's first error is its result, whoever else is in the batch.
    const alone = apgd({ ...small, stopWhenFooled: true })(
      randomCnn,
      images.slice(0, 3, 4),
      labels.slice(0, 3, 4),
      {
        ...context,
        imageIds: ids.slice(0, 3, 4),
      },
    );
    // In another batch size a gradient of nearly 0 may round to the other sign, late in steps of 0.02 / 2^k.
    expect(maxDifference(alone, stopped.slice(0, 3, 4))).toBeLessThan(2e-4);
  });

  test("fools at least as many images as PGD and FGSM at the same radius", () => {
    const attacked = count(fooled(apgd(small)(randomCnn, images, labels, contextOf())));
    for (const weaker of [pgd({ ...small, stepSize: 0.005 }), fgsm({ epsilon: 0.02 })]) {
      expect(attacked).toBeGreaterThanOrEqual(count(fooled(weaker(randomCnn, images, labels, contextOf()))));
    }
    const targeted = count(fooled(apgdT(small)(randomCnn, images, labels, contextOf())));
    expect(targeted).toBeGreaterThanOrEqual(attacked);
  });

  test("ends a shrinking radius within epsilon, and needs no more passes but two starts", () => {
    const passes = { forward: 0, backward: 0 };
    const attack = apgd({ norm: "l1", epsilon: 1, steps: 20 });
    const adversarial = attack(randomCnn, images, labels, contextOf(passes));
    expect(adversarial.sub(images).abs().sumDim([1, 2, 3]).amax().item()).toBeLessThan(1 + 1e-6);
    expect(passes.backward).toBe(24 * 23);
    const bounded = apgd({ norm: "l1", epsilon: 1, steps: 20, radii: "constant" });
    expect(count(fooled(adversarial))).toBeGreaterThanOrEqual(
      count(fooled(bounded(randomCnn, images, labels, contextOf()))),
    );
  });
});

describe("against a randomized network", () => {
  test("no draw stops it, and the means that choose are those of its gradients", () => {
    const batch = randomBatch(12, quantizedCnn);
    const run = (stopWhenFooled: boolean) => {
      const passes = { forward: 0, backward: 0 };
      const attack = apgd({ epsilon: 0.1, steps: 6, stopWhenFooled });
      const adversarial = attack(quantizedCnn, batch.images, batch.labels, {
        ...context,
        imageIds: batch.ids,
        passes,
      });
      return { adversarial, passes };
    };
    const [stopping, going] = [run(true), run(false)];
    expect(maxDifference(stopping.adversarial, going.adversarial)).toBe(0);
    expect(stopping.passes.backward).toBe(12 * 7);
  });

  test("raises the mean margin over fresh draws", () => {
    const batch = randomBatch(24, quantizedCnn);
    const ofIds = { ...context, imageIds: batch.ids };
    const judge = new Victim(quantizedCnn, { ...ofIds, seed: deriveSeed(1, "judge") }, "judge");
    const meanMargin = (adversarial: Tensor) =>
      judge.meanLoss(adversarial, batch.labels, margin, 50).mean().item();
    const attacked = apgd({ epsilon: 0.1, steps: 20, restarts: 2 })(
      quantizedCnn,
      batch.images,
      batch.labels,
      ofIds,
    );
    expect(meanMargin(attacked)).toBeGreaterThan(meanMargin(batch.images) + 0.3);
  });
});

test("a network of few classes has fewer targets, and too few for the loss are named", () => {
  const few = (classes: number): Classifier => ({
    ...randomCnn,
    classes,
    logits: (x, noise) => randomCnn.logits(x, noise).slice(1, 0, classes),
  });
  const zeros = tensor(new Array<number>(24).fill(0), [24], "int64");
  const passes = { forward: 0, backward: 0 };
  apgdT({ steps: 2, epsilon: 0.001, loss: "margin" })(few(2), images, zeros, contextOf(passes));
  expect(passes.backward).toBe(24 * 3);
  expect(() => apgdT({ steps: 2 })(few(3), images, zeros, contextOf())).toThrow(
    "its targeted form needs 4 classes or more, and the classifier has 3; take loss=margin",
  );
});

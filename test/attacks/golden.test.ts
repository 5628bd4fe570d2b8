import { describe, expect, test } from "vitest";
import {
  type Attack,
  bim,
  cwL2,
  cwLinf,
  fgsm,
  madryCw,
  miFgsm,
  niFgsm,
  pgd,
  Victim,
} from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, type Tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { crossEntropy, margin } from "../../src/nn/losses.js";
import { golden, goldenImages, goldenLabels, load, maxDifference, tinyCnn } from "./tiny-networks.js";

const context = { seed: deriveSeed(0, "golden"), imageIds: imageIdRange(0, 6) };
const run = (attack: Attack, model: Classifier = tinyCnn) =>
  attack(model, goldenImages, goldenLabels, context);

const rowOf = (images: Tensor, row: number) => images.slice(0, row, row + 1);

const ball = { epsilon: 0.05, stepSize: 0.01 };
const signAttacks: [string, Attack][] = [
  ["fgsm", fgsm({ epsilon: 0.05 })],
  ["fgsm_label_leak_free", fgsm({ epsilon: 0.05, labels: "predicted" })],
  ["bim", bim({ ...ball, steps: 7 })],
  ["pgd_norand", pgd({ ...ball, steps: 10, randomStart: false })],
  ["mifgsm", miFgsm({ ...ball, steps: 7 })],
  ["nifgsm", niFgsm({ ...ball, steps: 7 })],
  ["madry_pgd_cwloss_norand", madryCw({ ...ball, steps: 10, kappa: 50, randomStart: false })],
  ["og_cw_linf_adam_sign", cwLinf({ ...ball, steps: 30 })],
];

test("the network is the references': logits and input gradient", () => {
  const victim = new Victim(tinyCnn, context, "golden");
  const { gradient, logits } = victim.gradient(goldenImages, (z) => crossEntropy(z, goldenLabels));
  expect(maxDifference(logits, load(golden.logits))).toBeLessThan(2e-6);
  expect(maxDifference(gradient, load(golden.grad_ce_sum))).toBeLessThan(1e-6);
});

describe("attacks that step along signs equal their references", () => {
  test.each(signAttacks)("%s", (name, attack) => {
    const expected = golden.attacks[name]!;
    const adversarial = run(attack);
    expect(maxDifference(adversarial, load(expected.adv))).toBeLessThanOrEqual(1e-6);
    expect(
      tinyCnn
        .logits(adversarial, { ...context, draw: 0 })
        .argmax(1)
        .toNumbers(),
    ).toEqual(expected.pred);
  });
});

test("targeted pgd equals its reference, class by class", () => {
  const { params, adv } = golden.attacks.pgd_targeted_norand!;
  const expected = load(adv);
  for (const [row, target] of (params.target as number[]).entries()) {
    const adversarial = run(pgd({ ...ball, steps: 10, randomStart: false, target }));
    expect(maxDifference(rowOf(adversarial, row), rowOf(expected, row))).toBeLessThanOrEqual(1e-6);
  }
});

test("fgsm is x + epsilon * sign(gradient), clipped, to the bit", () => {
  const { gradient } = new Victim(tinyCnn, context, "any").gradient(goldenImages, (z) =>
    crossEntropy(z, goldenLabels),
  );
  const expected = goldenImages.add(gradient.sign().mul(0.05)).clamp(0, 1);
  expect(run(fgsm({ epsilon: 0.05 })).toArray()).toEqual(expected.toArray());
});

test("pgd in l2 follows torchattacks' steps", () => {
  const attack = pgd({ norm: "l2", epsilon: 0.5, stepSize: 0.1, steps: 10, randomStart: false });
  // Each step divides by a length, so float32 rounding grows over the ten steps; signs it does not flip.
  expect(maxDifference(run(attack), load(golden.attacks.pgdl2_norand!.adv))).toBeLessThan(5e-6);
});

test("cw-linf goes through the reference's margins", () => {
  const seen: number[][] = [];
  const watched: Classifier = {
    ...tinyCnn,
    logits(images, noise) {
      const logits = tinyCnn.logits(images, noise);
      seen.push(margin(logits, goldenLabels).neg().toNumbers());
      return logits;
    },
  };
  run(cwLinf({ ...ball, steps: 30 }), watched);
  const expected = golden.attacks.og_cw_linf_adam_sign!.margin_traj;
  expect([seen.length, seen[0]!.length]).toEqual(expected.shape);
  const differences = seen.flat().map((value, i) => Math.abs(value - expected.data[i]!));
  expect(Math.max(...differences)).toBeLessThan(5e-6);
});

test("cw-l2 with one constant equals torchattacks'", () => {
  const expected = golden.attacks.cw_l2!;
  const attack = cwL2({ binarySearchSteps: 1, initialConstant: 1, steps: 50, learningRate: 0.01, kappa: 0 });
  const adversarial = run(attack);
  expect(maxDifference(adversarial, load(expected.adv))).toBeLessThanOrEqual(1e-6);
  const distances = adversarial.sub(goldenImages).square().sumDim([1, 2, 3]).sqrt().toNumbers();
  distances.forEach((distance, i) => {
    expect(distance).toBeCloseTo(expected.l2[i]!, 6);
  });
});

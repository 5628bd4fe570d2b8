import { describe, expect, test } from "vitest";
import { type Attack, attacks, type Norm, parseAttack } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, liveTensors, scope, type Tensor, tensor } from "../../src/engine/index.js";
import type { Classifier } from "../../src/nn/classifier.js";
import { describeOptions } from "../../src/options/describe.js";
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

/** Fewer steps than the defaults where those would take seconds; a new attack is tested with its defaults. */
const short: Record<string, string[]> = {
  fgsm: ["fgsm(epsilon=0.05)"],
  pgd: [
    "pgd(epsilon=0.05, stepSize=0.01, steps=8)",
    "pgd(norm=l2, epsilon=0.4, stepSize=0.1, steps=8, loss=margin)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, restarts=3, selectionDraws=2)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, loss=dlr)",
    "pgd(norm=l1, epsilon=3, stepSize=1, steps=5)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, target=next, loss=margin)",
    "pgd(epsilon=0.05, stepSize=0.02, steps=3, target=least-likely, loss=dlr, restarts=2)",
  ],
  bim: ["bim(epsilon=0.05, stepSize=0.01, steps=4)"],
  "mi-fgsm": ["mi-fgsm(epsilon=0.05, stepSize=0.01, steps=4)", "mi-fgsm(norm=l2, epsilon=0.4, stepSize=0.1, steps=4)"],
  "ni-fgsm": ["ni-fgsm(epsilon=0.05, stepSize=0.01, steps=4)"],
  apgd: [
    "apgd(epsilon=0.05, steps=8)",
    "apgd(norm=l2, epsilon=0.4, steps=6, loss=dlr, start=image)",
    "apgd(norm=l1, epsilon=3, steps=8, restarts=2)",
    "apgd(epsilon=0.05, steps=8, stopWhenFooled=true, loss=margin)",
  ],
  "apgd-t": ["apgd-t(epsilon=0.05, steps=4, targets=2)"],
  "cw-linf": ["cw-linf(epsilon=0.05, steps=8)"],
  "madry-cw": ["madry-cw(epsilon=0.05, steps=8)"],
  deepfool: ["deepfool(steps=6)", "deepfool(norm=linf, steps=6)"],
  ead: ["ead(steps=30, binarySearchSteps=2, initialConstant=1)", "ead(steps=10, binarySearchSteps=1, decisionRule=l1)"],
  ddn: ["ddn(steps=10)"],
  fmn: ["fmn(steps=10)", "fmn(norm=l2, steps=6)", "fmn(norm=l1, steps=6)"],
  unconstrained: ["unconstrained(steps=8)"],
  fab: ["fab(steps=3)", "fab(norm=l2, epsilon=0.3, steps=3)", "fab(norm=l1, steps=3)"],
  "fab-t": ["fab-t(steps=3, targets=2)", "fab-t(epsilon=0.05, steps=3, targets=2)"],
  "cw-l2": ["cw-l2(steps=30, binarySearchSteps=2, initialConstant=1)"],
  autoattack: [
    "autoattack(epsilon=0.05, steps=4, queries=6, targets=2)",
    "autoattack(epsilon=0.05, version=randomized, steps=3, queries=4, draws=2, selectionDraws=2)",
  ],
  nes: ["nes(epsilon=0.05, steps=3, samples=10, sigma=0.01, draws=2)"],
  spsa: ["spsa(epsilon=0.05, steps=3, samples=10, draws=2)", "spsa(norm=l2, epsilon=0.4, steps=2, samples=6, draws=2)"],
  "hop-skip-jump": [
    "hop-skip-jump(steps=3, samples=10, draws=3)",
    "hop-skip-jump(norm=linf, steps=2, samples=10, draws=3)",
  ],
  boundary: ["boundary(steps=8, draws=3)", "boundary(norm=linf, steps=8, draws=3)"],
  noise: [
    "noise(epsilon=0.05)",
    "noise(epsilon=0.05, distribution=gaussian, tries=3)",
    "noise(norm=l2, epsilon=0.4, distribution=gaussian, tries=3)",
  ],
  "rotation-translation": ["rotation-translation(angles=3, shifts=3, draws=2)"],
  square: ["square(epsilon=0.05, queries=12, draws=3)", "square(norm=l2, epsilon=0.4, queries=12, draws=3)"],
};

const cases = [...attacks.keys()].flatMap((name) => short[name] ?? [name]);
cases.push(
  "restarts(cw-linf(epsilon=0.05, steps=4), times=2)",
  "worst-case(fgsm(epsilon=0.05), madry-cw(steps=4))",
  "within(hop-skip-jump(norm=linf, steps=2, samples=10, draws=3), epsilon=0.1)",
  "expectation(pgd(epsilon=0.05, stepSize=0.02, steps=3), draws=3, mean=softmax)",
  "temperature(pgd(epsilon=0.05, stepSize=0.02, steps=3), value=5)",
  "jacobian-scaling(apgd(epsilon=0.05, steps=4))",
  "minimal-epsilon(pgd(steps=3), maximum=0.1, rounds=3)",
);

const networks: [string, Classifier][] = [
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

describe.each(cases)("%s", (text) => {
  const attack = parseAttack(text);

  describe.each(networks)("on %s", (_, model) => {
    const { images, labels, ids } = randomBatch(7, model);
    const run = (from = 0, to = 7, seed = 5) =>
      attack(model, rows(images, from, to), rows(labels, from, to), contextOf(rows(ids, from, to), seed));
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
      // Of a few steps on a randomized network, chosen between by few draws, some do a little good.
      expect(accuracy(model, whole, labels)).toBeLessThanOrEqual(model.randomized ? clean + 0.1 : clean);
    });

    test("gives an image the same result alone, in batches of 3 and 4, and in 7", () => {
      // Convolutions may round differently for another batch size; noise keyed by place would differ by whole steps.
      for (const [from, to] of [
        [0, 3],
        [3, 7],
        [6, 7],
      ] as const) {
        expect(maxDifference(run(from, to), rows(whole, from, to))).toBeLessThan(1e-5);
      }
    });

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

    test("counts its passes", () => {
      const passes = { forward: 0, backward: 0 };
      let calls = 0;
      const counting: Classifier = {
        ...model,
        logits(batch, noise) {
          calls += batch.shape[0]!;
          return model.logits(batch, noise);
        },
      };
      attack(counting, images, labels, { ...contextOf(ids), passes });
      expect(passes.forward).toBe(calls);
      expect(passes.backward > 0).toBe(attack.traits.usesGradients);
      // A gradient goes back through every pass that it is a mean over.
      if (attack.name === "expectation") expect(passes.backward).toBe(passes.forward);
    });
  });

  test("takes an empty batch, and images of black and white pixels only", () => {
    const none = rows(goldenImages, 0, 0);
    expect(attack(tinyCnn, none, rows(goldenLabels, 0, 0), contextOf(imageIdRange(0, 0))).shape).toEqual([0, 2, 8, 8]);
    const extreme = goldenImages.round();
    const adversarial = attack(tinyCnn, extreme, goldenLabels, contextOf(imageIdRange(0, 6)));
    expect(adversarial.isfinite().all().item()).toBe(1);
  });

  test("comes back from its label, its data, and its data as JSON", () => {
    for (const again of [attack.label, attack.call, JSON.parse(JSON.stringify(attack.call))]) {
      expect(parseAttack(again).label).toBe(attack.label);
      expect(parseAttack(again).call).toEqual(attack.call);
      expect(parseAttack(again).traits).toEqual(attack.traits);
    }
  });

  test("refuses bad images, labels and ids, each by name", () => {
    const run = (images: Tensor, labels = goldenLabels, ids = imageIdRange(0, 6)) =>
      attack(tinyCnn, images, labels, contextOf(ids));
    expect(() => run(goldenImages.add(0.5))).toThrow(/^pixels must lie in \[0, 1\], found 0\.5\d* \.\. 1\.4\d*$/);
    expect(() => run(goldenImages.mul(Number.NaN))).toThrow("pixels must lie in [0, 1], found NaN");
    expect(() => run(goldenImages.to("float64"))).toThrow(TypeError);
    expect(() => run(goldenImages.to("float64"))).toThrow("images must be float32");
    expect(() => run(goldenImages.reshape([6, 1, 16, 8]))).toThrow(
      "images must have shape [N, 2, 8, 8], not [6, 1, 16, 8]",
    );
    expect(() => run(goldenImages.select(0, 0))).toThrow("images must have shape [N, 2, 8, 8], not [2, 8, 8]");
    expect(() => run(goldenImages, goldenLabels.add(6))).toThrow("labels must lie in 0 .. 9");
    expect(() => run(goldenImages, goldenLabels.sub(2))).toThrow("labels must lie in 0 .. 9");
    expect(() => run(goldenImages, rows(goldenLabels, 0, 5))).toThrow("labels must have shape [6]");
    expect(() => run(goldenImages, goldenLabels.to("float32"))).toThrow("labels must be int64, not float32");
    expect(() => run(goldenImages, goldenLabels, imageIdRange(0, 5))).toThrow("context.imageIds must have shape [6]");
    expect(() => run(goldenImages, goldenLabels, tensor([0, 1, 2, 3, 4, 5]))).toThrow(
      "context.imageIds must be int64, not float32",
    );
  });

  test("says so when the network's numbers are not finite", () => {
    const broken: Classifier = { ...tinyCnn, logits: (x, noise) => tinyCnn.logits(x, noise).mul(Number.NaN) };
    const run = () => attack(broken, goldenImages, goldenLabels, contextOf(imageIdRange(0, 6)));
    expect(run).toThrow(
      /^attack [a-z0-9-]+: (the gradient of the network's loss is|the network's logits are) not finite$/,
    );
  });
});

describe.each([...attacks.values()])("definition of $name", (definition) => {
  test("has defaults for all options, describes each, and itself", () => {
    expect(definition.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(definition.summary.length).toBeGreaterThan(10);
    expect(Object.keys(definition.fromOptions({}).options)).toEqual(Object.keys(definition.options.shape));
    for (const option of describeOptions(definition.options)) expect(option.description).not.toBe("");
  });

  test("refuses unknown and ill-typed options", () => {
    const [option] = Object.keys(definition.options.shape);
    const mistyped = `${option!.slice(0, -1)}q`;
    expect(() => definition.fromOptions({ [mistyped]: 1 })).toThrow(
      `attack ${definition.name}: unknown option "${mistyped}"; did you mean "${option}"?`,
    );
    expect(() => definition.fromOptions({ [option!]: "no" })).toThrow(`option "${option}" cannot be "no"; accepted: `);
    expect(() => definition.fromOptions(3)).toThrow(TypeError);
  });

  test("frees every step's tensors before the next step", () => {
    const counts: number[] = [];
    const watching: Classifier = {
      ...tinyCnn,
      logits(images, noise) {
        counts.push(liveTensors().tensors);
        return tinyCnn.logits(images, noise);
      },
    };
    const steps = "steps" in definition.options.shape ? { steps: 30 } : {};
    const rounds = "binarySearchSteps" in definition.options.shape ? { binarySearchSteps: 2 } : {};
    const attack = definition.fromOptions({ ...steps, ...rounds });
    scope(() => attack(watching, goldenImages, goldenLabels, contextOf(imageIdRange(0, 6))));
    // The collector may lower the count at any time, and so may the end of a run; only a leak sets one record after another.
    const records = counts.filter((count, i) => count > Math.max(0, ...counts.slice(0, i))).length;
    expect(records).toBeLessThanOrEqual(6);
  });
});

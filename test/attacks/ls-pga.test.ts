import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { attacks, expectation, lsPga, restarts, Victim } from "../../src/attacks/index.js";
import { deriveSeed } from "../../src/base/index.js";
import { defenses } from "../../src/defenses/index.js";
import { imageIdRange, noGrad, scope, type Tensor, tensor } from "../../src/engine/index.js";
import { type Model, modelOf, models } from "../../src/models/index.js";
import {
  type Classifier,
  Conv2d,
  Flatten,
  Linear,
  loadState,
  ReLU,
  Sequential,
  Tanh,
} from "../../src/nn/index.js";
import { keepsContract } from "./attack-contract.js";
import { onLevels } from "./contract-cases.js";
import { accuracy, maxDifference, randomBatch } from "./tiny-networks.js";

interface Case {
  readonly levels: number;
  readonly options: Parameters<typeof lsPga>[0];
  readonly images: readonly number[];
  readonly labels: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** Levels that the attack chooses, and pixels of a grid that have them. */
  readonly found: readonly number[];
  readonly pixels: readonly number[];
}

/** Made by test/golden/ls_pga.py. */
const golden = JSON.parse(readFileSync(new URL("../golden/ls-pga.json", import.meta.url), "utf8")) as {
  readonly noise: { readonly low: number; readonly high: number; readonly images: readonly number[] };
  readonly cases: readonly Case[];
};

/** A network behind a thermometer's code, with other defenses after it. */
function coded(
  levels: number | string,
  classes: number,
  others: readonly string[] = [],
  sides = [8, 8],
): Model {
  const [height, width] = sides as [number, number];
  const smooth = others.length === 0;
  return modelOf(
    (seed) =>
      new Sequential({
        conv: new Conv2d(2, 3, 3, { padding: 1, seed }),
        hidden: smooth ? new Tanh() : new ReLU(),
        flatten: new Flatten(),
        fc: new Linear(3 * height * width, classes, { seed }),
      }),
    { inputShape: [2, height, width], classes },
  ).build({
    seed: 4,
    defenses: [`thermometer(levels=${levels})`, ...others].map((text) => defenses.parse(text)),
  });
}

test.each(golden.cases)("makes the images of another form, $options.step on $levels levels", (one) => {
  const model = coded(one.levels, 3, [], [4, 5]);
  const state = [...model.module.state()].map(([name, { shape }]): [string, Tensor] => [
    name,
    tensor([...one.weights[name]!], shape),
  ]);
  loadState(model.module, new Map(state));
  const { low, high, images: ids } = golden.noise;
  const context = { seed: 0, imageIds: imageIdRange(ids[0]!, ids.length) };
  const seeds = () => ({ low, high });
  const victim = new Victim(model.classifier(), context, "ls-pga", { seeds });
  const images = tensor([...one.images], [2, 2, 4, 5]);
  const labels = tensor([...one.labels], [2], "int64");
  const found = noGrad(() => lsPga(one.options).search(victim, images, labels)).toNumbers();
  expect(found.map((pixel) => Math.floor(0.99999 * one.levels * pixel))).toEqual(one.found);
  // The grid has a point every 1.5e-4.
  for (const [i, pixel] of one.pixels.entries()) expect(Math.abs(found[i]! - pixel)).toBeLessThan(2e-4);
});

const networks: [string, Classifier][] = [
  ["a thermometer", coded(6, 10).classifier()],
  [
    "a thermometer whose own gradient is zero",
    coded("16, gradient=none", 10, ["sqa(hidden=4)"]).classifier(),
  ],
];

describe.each(onLevels)("%s", (text) => keepsContract(attacks.parse(text), networks));

const context = (ids: Tensor) => ({ seed: deriveSeed(3, "ls-pga"), imageIds: ids });

test("finds more than a gradient that is zero, and works inside other attacks", () => {
  const classifier = coded("8, gradient=none", 10).classifier();
  const { images, labels, ids } = randomBatch(40, classifier);
  const left = (text: string) =>
    accuracy(classifier, attacks.parse(text)(classifier, images, labels, context(ids)), labels);
  expect(left("pgd(epsilon=0.3, steps=7, randomStart=false)")).toBe(1);
  expect(left("ls-pga(epsilon=0.3)")).toBeLessThan(0.1);
  // As published, its steps are lost in its start.
  expect(left("ls-pga(epsilon=0.3, step=gradient)")).toBeGreaterThan(0.4);
  expect(left("ls-pga(epsilon=0.3, step=gradient, logitStep=1000)")).toBeLessThan(0.1);
  const inner = lsPga({ epsilon: 0.3 });
  const alone = inner(classifier, images, labels, context(ids));
  const averaged = expectation(inner, { draws: 3 })(classifier, images, labels, context(ids));
  expect(maxDifference(alone, averaged)).toBe(0);
  const again = restarts(inner, { times: 3 })(classifier, images, labels, context(ids));
  expect(accuracy(classifier, again, labels)).toBeLessThanOrEqual(accuracy(classifier, alone, labels));
});

test("weights of levels that are all or nothing answer as the pixels do", () => {
  const classifier = coded(5, 10, ["sqa(hidden=3)"]).classifier();
  const { images, ids } = randomBatch(3, classifier);
  const { count, scale, behind } = classifier.levels!;
  expect(behind.inputShape).toEqual([10, 8, 8]);
  expect(behind.levels).toBeUndefined();
  expect(Object.keys(behind.surrogates!)).toEqual(Object.keys(classifier.surrogates!));
  const levels = images.toNumbers().map((pixel) => Math.floor(scale * pixel));
  const weights = Array.from({ length: 3 * 2 * count * 64 }, (_, at) => {
    const [image, rest] = [Math.floor(at / (2 * count * 64)), at % (2 * count * 64)];
    const [channel, inside] = [Math.floor(rest / (count * 64)), rest % (count * 64)];
    return levels[image * 128 + channel * 64 + (inside % 64)] === Math.floor(inside / 64) ? 1 : 0;
  });
  const noise = { ...context(ids), draw: 0 };
  noGrad(() =>
    scope(() => {
      const own = classifier.logits(images, noise);
      const other = behind.logits(tensor(weights, [3, 2 * count, 8, 8]), noise);
      expect(maxDifference(own, other)).toBeLessThan(1e-5);
    }),
  );
});

test("refuses models without levels, and levels behind another transform, by name", () => {
  const plain = models.parse("small").build({ seed: 0, defenses: [] });
  const resized = models.parse("small").build({
    seed: 0,
    defenses: ["random-resize-pad", "thermometer"].map((text) => defenses.parse(text)),
  });
  const ids = imageIdRange(0, 1);
  for (const { module, inputShape, classifier } of [plain, resized]) {
    const images = noGrad(() => tensor(Array(784).fill(0.5), [1, ...inputShape]));
    const labels = tensor([0], [1], "int64");
    const refusal = "attack ls-pga: the classifier reads no levels of pixels; give a model whose input is";
    expect(() => lsPga()(classifier(), images, labels, context(ids))).toThrow(refusal);
    const victim = new Victim(classifier(), context(ids), "ls-pga");
    expect(() => lsPga().search(victim, images, labels)).toThrow(refusal);
    module.dispose();
  }
  expect(() => lsPga({ epsilon: 1.5 })).toThrow(RangeError);
  expect(() => lsPga({ randomStart: false })).toThrow("signs from equal logits leave levels that tie");
});

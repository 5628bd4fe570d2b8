import { expect, it } from "vitest";
import { neighborAgreement } from "../../src/analysis/neighbors.js";
import { penultimate } from "../../src/analysis/penultimate.js";
import { deriveSeed } from "../../src/base/index.js";
import { randomResizePad, sqa, thermometer } from "../../src/defenses/index.js";
import { countedUniform, imageIdRange, noGrad, type Tensor, tensor } from "../../src/engine/index.js";
import { models } from "../../src/models/index.js";
import { Linear, Module, type Pass, ReLU } from "../../src/nn/index.js";
import { liveCount } from "../live-count.js";

const noise = { seed: deriveSeed(1), draw: 0, imageIds: imageIdRange(0, 3) };

const statistics = "mean=[0.5, 0.4, 0.3], std=[0.25, 0.2, 0.3]";

it.each([
  ["small", sqa()],
  ["resnet18(width=4)", sqa()],
  ["preact-resnet18(width=4)", sqa()],
  [`resnet18(width=4, ${statistics})`, sqa()],
  ["resnet18(width=4)", randomResizePad()],
  ["small", thermometer()],
] as const)("the penultimate layer of %s with %s is what its last layer makes logits of", (text, defense) => {
  const network = models.parse(text);
  const { module } = network.build({ seed: 0, defenses: [defense] });
  const images = countedUniform(noise, 0, [...network.inputShape]);
  const pass = { training: false, noise };
  noGrad(() => {
    const given = penultimate(module, images, pass);
    const last = module.namedChildren().at(-1)![1] as Linear;
    expect(given.shape[0]).toBe(3);
    expect(last.apply(given, pass).toNumbers()).toEqual(module.apply(images, pass).toNumbers());
    const relu = module.namedModules().find(([, layer]) => layer instanceof ReLU)![1];
    expect(() => penultimate(relu, images, pass)).toThrow("network must be a Sequential");
  });
  module.dispose();
});

it("the penultimate layer of a module of a user's own is what its last Linear is given", () => {
  /** Two paths, the layers in another order than they are applied in. */
  class TwoPaths extends Module {
    readonly fc = new Linear(5, 2, { seed: 0 });
    readonly left = new Linear(4, 5, { seed: 1 });
    readonly right = new Linear(4, 5, { seed: 2 });

    protected override forward(input: Tensor, pass: Pass): Tensor {
      const flat = input.flatten(1);
      return this.fc.apply(this.left.apply(flat, pass).add(this.right.apply(flat, pass)), pass);
    }
  }
  const module = new TwoPaths();
  const images = countedUniform(noise, 0, [1, 2, 2]);
  const pass = { training: false, noise };
  noGrad(() => {
    // The first weights are drawn when they are first asked for.
    module.state();
    const before = liveCount();
    const given = penultimate(module, images, pass);
    expect(given.shape).toEqual([3, 5]);
    expect(module.fc.apply(given, pass).toNumbers()).toEqual(module.apply(images, pass).toNumbers());
    given.dispose();
    expect(module.fc.inputTransforms).toEqual([]);
    expect(liveCount()).toBe(before);
  });
  module.dispose();
});

it("an image's nearest neighbors have its label or not", () => {
  const known = { at: tensor([0, 1, 10, 11, 12], [5, 1]), labels: tensor([0, 0, 1, 1, 0], [5], "int64") };
  const of = (at: number[], labels: number[], k: number) =>
    neighborAgreement(
      { at: tensor(at, [at.length, 1]), labels: tensor(labels, [at.length], "int64") },
      known,
      k,
    );
  expect(of([0.4], [0], 2)).toBe(1);
  expect(of([0.4], [1], 2)).toBe(0);
  expect(of([11.4, 0.4], [1, 0], 3)).toBeCloseTo((2 / 3 + 2 / 3) / 2, 12);
  // Each one's nearest other: 1, 0, 11, then 10 or 12, and 11.
  expect(neighborAgreement(known, known, 1, true)).toBeOneOf([4 / 5, 3 / 5]);
  // A point that lies where others do is left out by its position.
  const equal = { at: tensor([3, 3, 3], [3, 1]), labels: tensor([0, 1, 2], [3], "int64") };
  expect(neighborAgreement(equal, equal, 2, true)).toBe(0);
  // As are points of the same images that moved away.
  const moved = { at: tensor([0, 1.1, 9, 11.4, 30], [5, 1]), labels: known.labels };
  expect(neighborAgreement(moved, known, 1, true)).toBe(3 / 5);
  expect(() => of([1], [0], 6)).toThrow("k must lie in 1 .. 5, not 6");
  expect(() => neighborAgreement(known, known, 5, true)).toThrow("k must lie in 1 .. 4, not 5");
});

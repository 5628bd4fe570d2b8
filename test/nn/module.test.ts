import { expect, test } from "vitest";
import { placeAfter, quantizer, sap, sqa } from "../../src/defenses/index.js";
import type { Tensor } from "../../src/engine/index.js";
import { type Defense, small } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Dropout,
  differsInTraining,
  isRandomized,
  Linear,
  Module,
  type Pass,
  ReLU,
  Sequential,
  usesBatchStatistics,
} from "../../src/nn/index.js";

const fc = () => new Linear(2, 2, { seed: 1 });

/** A residual block of a user's own: normalization in a field, whatever the configuration says. */
class Residual extends Module {
  readonly fc1 = fc();
  readonly relu1 = new ReLU();
  readonly bn = new BatchNorm2d(2);

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return input.add(this.relu1.apply(this.fc1.apply(input, pass), pass));
  }
}

/** A layer of a user's own that draws noise. */
class Noisy extends ReLU {
  override get randomized(): boolean {
    return true;
  }
}

test("a list of modules in a field is refused: its weights would neither be trained nor saved", () => {
  class Listed extends Residual {
    readonly blocks = [fc(), fc()];
  }
  expect(() => new Listed().parameters()).toThrow(
    new TypeError('field "blocks" is a list of modules, whose weights would not be found: use a Sequential'),
  );
  expect([...placeAfter(new Residual(), { relu1: quantizer() }).state().keys()]).toEqual(
    ["fc1.weight", "fc1.bias"].concat(
      ["weight", "bias", "running_mean", "running_var"].map((name) => `bn.${name}`),
    ),
  );
});

test("a network mixes the images of a batch where any layer does", () => {
  expect(usesBatchStatistics(new Residual())).toBe(true);
  expect(usesBatchStatistics(small().build({ seed: 0, defenses: [sqa()] }).module)).toBe(false);
  expect(usesBatchStatistics(small({ batchNorm: true }).build({ seed: 0 }).module)).toBe(true);
});

test("passes in training are others where any layer or what is applied beside it says so", () => {
  expect(differsInTraining(new Residual())).toBe(true);
  const built = (defenses: Defense[]) => small().build({ seed: 0, defenses }).module;
  expect([built([]), built([sqa()]), built([sap({ training: true })])].map(differsInTraining)).toEqual(
    new Array(3).fill(false),
  );
  expect(differsInTraining(built([sap()]))).toBe(true);
  const [none, some] = [0, 0.2].map((p) => new Sequential({ fc: fc(), dropout: new Dropout(p) }));
  expect([none, some].map((network) => differsInTraining(network!))).toEqual([false, true]);
});

test("a network is randomized where any layer or what is applied to its output is", () => {
  expect(isRandomized(new Residual())).toBe(false);
  expect(isRandomized(new Noisy())).toBe(true);
  const network = new Residual();
  network.relu1.outputTransforms.push(new Noisy());
  expect(isRandomized(network)).toBe(true);
});

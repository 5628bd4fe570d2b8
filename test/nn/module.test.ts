import { expect, test } from "vitest";
import { placeAfter, quantizer, sap, sqa } from "../../src/defenses/index.js";
import { grad, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { type Defense, small } from "../../src/models/index.js";
import {
  BatchNorm2d,
  Dropout,
  differsInTraining,
  isRandomized,
  Linear,
  Module,
  type Pass,
  parameterCount,
  ReLU,
  Sequential,
  sgd,
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

test("a weight that layers share is one parameter: an update moves it once", () => {
  const shared = Linear.of(tensor([2], [1, 1]).requireGrad());
  const network = new Sequential({ a: shared, b: shared });
  expect([...network.state().keys()]).toEqual(["a.weight", "b.weight"]);
  expect([...network.parameters().keys()]).toEqual(["a.weight"]);
  expect(parameterCount(network)).toBe(1);
  const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds: imageIdRange(0, 1) };
  const output = network.apply(tensor([1], [1, 1]), { training: true, noise }).sum();
  const optimizer = sgd({ momentum: 0, weightDecay: 0 }).on(network.parameters());
  // The output is w^2 at w = 2: its derivative is 4.
  optimizer.step(grad(output, [shared.weight]), 0.25);
  expect(shared.weight.item()).toBe(1);
  expect(() => sgd().on(network.state())).toThrow(
    new RangeError('parameters must hold each tensor once; "b.weight" is there by another name too'),
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

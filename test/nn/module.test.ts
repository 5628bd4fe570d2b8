import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { placeAfter, sqa } from "../../src/defenses/index.js";
import type { Tensor } from "../../src/engine/index.js";
import { parseNetwork, small } from "../../src/models/index.js";
import { batchNorm2d, isRandomized, linear, Module, type Pass, ReLU, usesBatchStatistics } from "../../src/nn/index.js";

const fc = (name: string) => linear(deriveSeed(1), name, { in: 2, out: 2 });

/** A residual block of a user's own: normalization in a field, whatever the configuration says. */
class Residual extends Module {
  readonly fc1 = fc("fc1");
  readonly relu1 = new ReLU();
  readonly bn = batchNorm2d(2);

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
    readonly blocks = [fc("a"), fc("b")];
  }
  expect(() => new Listed().parameters()).toThrow(
    new TypeError('field "blocks" is a list of modules, whose weights would not be found: use a Sequential'),
  );
  expect([...placeAfter(new Residual(), { relu1: sqa() }).state().keys()]).toEqual(
    ["fc1.weight", "fc1.bias"].concat(["weight", "bias", "running_mean", "running_var"].map((name) => `bn.${name}`)),
  );
});

test("a network mixes the images of a batch where any layer does", () => {
  expect(usesBatchStatistics(new Residual())).toBe(true);
  expect(usesBatchStatistics(small.build({ seed: 0, sqa: {} }).module)).toBe(false);
  expect(usesBatchStatistics(parseNetwork("small(batchNorm=true)").build({ seed: 0 }).module)).toBe(true);
});

test("a network is randomized where any layer or what is applied to its output is", () => {
  expect(isRandomized(new Residual())).toBe(false);
  expect(isRandomized(new Noisy())).toBe(true);
  const network = new Residual();
  network.relu1.outputTransforms.push(new Noisy());
  expect(isRandomized(network)).toBe(true);
});

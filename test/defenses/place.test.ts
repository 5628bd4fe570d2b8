import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import {
  binarizedNetwork,
  binarizeWeights,
  binary,
  clipBinaryWeights,
  placeAfter,
  placedQuantizers,
  quantizer,
  sap,
} from "../../src/defenses/index.js";
import { grad, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { modelOf } from "../../src/models/index.js";
import { Flatten, isRandomized, Linear, Module, type Pass, ReLU, Sequential } from "../../src/nn/index.js";

const seed = deriveSeed(1);

/** A network of a user's own, in plain fields. */
class OwnNetwork extends Module {
  readonly flatten = new Flatten();
  readonly fc1 = new Linear(4, 6, { seed });
  readonly block = new Sequential({ relu: new ReLU(), fc2: new Linear(6, 3, { seed }) });

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return this.block.apply(this.fc1.apply(this.flatten.apply(input, pass), pass), pass);
  }
}

const pass = (draw = 0, noiseFree = false): Pass => ({
  training: false,
  noiseFree,
  noise: { seed, draw, imageIds: imageIdRange(0, 2) },
});
const input = tensor([0.1, 0.9, 0.3, 0.4, 0.8, 0.2, 0.5, 0.7], [2, 1, 2, 2]);

test("places by name and pattern in a few lines, and without noise the network is as it was", () => {
  const network = placeAfter(new OwnNetwork(), { fc1: quantizer(), "block.*u": quantizer({ lambda: 2 }) });
  expect(
    placedQuantizers(network).map(([name, { options, stream }]) => [name, options.lambda, stream]),
  ).toEqual([
    ["fc1", 1, 0],
    ["block.relu", 2, 1],
  ]);
  expect(isRandomized(network)).toBe(true);
  expect(isRandomized(placeAfter(new OwnNetwork(), { fc1: quantizer({ rounding: "nearest" }) }))).toBe(false);
  const plain = new OwnNetwork().apply(input, pass());
  expect(network.apply(input, pass(0, true)).toArray()).toEqual(plain.toArray());
  expect(network.apply(input, pass(0)).toArray()).not.toEqual(plain.toArray());
  expect(network.apply(input, pass(3)).toArray()).toEqual(network.apply(input, pass(3)).toArray());
});

test("refuses an unknown layer with all names and the nearest, and places nothing", () => {
  const network = new OwnNetwork();
  const known = "known: flatten, fc1, block, block.relu, block.fc2";
  expect(() => placeAfter(network, { fc1: quantizer(), "block.rellu": quantizer() })).toThrow(
    new RangeError(`unknown layer "block.rellu"; did you mean "block.relu"? ${known}`),
  );
  expect(() => placeAfter(network, { fc1: quantizer(), "fc*": quantizer() })).toThrow(
    'layer "fc1" is matched by both "fc1" and "fc*"',
  );
  expect(() => placeAfter(network, { fc1: {} as never })).toThrow(TypeError);
  expect(placedQuantizers(network)).toEqual([]);
});

/** y = W x of one layer for x = 1, so that the output is the sum of the weights in use. */
function single(weights: number[]): { network: Sequential; weight: Tensor } {
  const weight = tensor(weights, [weights.length, 1]).requireGrad();
  return { network: new Sequential({ fc: Linear.of(weight) }), weight };
}
const one = tensor([1], [1, 1]);

test("deterministic binary weights are signs, with a straight-through gradient", () => {
  const { network, weight } = single([-3, -0.2, 0, 0.7]);
  binarizeWeights(network, { "f*": binary() });
  const output = network.apply(one, pass());
  expect(output.toNumbers()).toEqual([-1, -1, 1, 1]);
  expect(isRandomized(network)).toBe(false);
  expect(grad(output.mul(tensor([1, 2, 3, 4], [1, 4])).sum(), [weight])[0]!.toNumbers()).toEqual([
    1, 2, 3, 4,
  ]);
  expect(network.apply(one, pass(0, true)).toNumbers()).toEqual([-1, Math.fround(-0.2), 0, Math.fround(0.7)]);
  clipBinaryWeights(network);
  expect(weight.toNumbers()[0]).toBe(-1);
});

test("stochastic binary weights have the hard sigmoid's chances, keyed by the draw", () => {
  const weights = [-2, -1, -0.5, 0, 0.6, 1, 5];
  const { network } = single(weights);
  binarizeWeights(network, { fc: binary({ mode: "stochastic" }) });
  expect(isRandomized(network)).toBe(true);
  expect(network.apply(one, pass(5)).toArray()).toEqual(network.apply(one, pass(5)).toArray());
  const draws = 2000;
  const sums = weights.map(() => 0);
  for (let draw = 0; draw < draws; draw++) {
    for (const [i, value] of network.apply(one, pass(draw)).toNumbers().entries()) {
      expect(Math.abs(value)).toBe(1);
      sums[i]! += value;
    }
  }
  for (const [i, w] of weights.entries()) {
    const mean = Math.min(1, Math.max(-1, w));
    // Hoeffding over values in [-1, 1]: fails once in 10^8.
    expect(Math.abs(sums[i]! / draws - mean)).toBeLessThan(2 * Math.sqrt(19.2 / (2 * draws)) + 1e-6);
    if (Math.abs(mean) === 1) expect(sums[i]).toBe(mean * draws);
  }
});

test("binary weights go to layers that have weights only", () => {
  expect(() => binarizeWeights(new OwnNetwork(), { "block.relu": binary() })).toThrow(
    /known: fc1, block.fc2$/,
  );
  expect(() => binary({ mode: "random" as never })).toThrow(RangeError);
});

test("a module that has several names in a network is given a quantizer, pruning or signs once", () => {
  const twice = () => {
    const relu = new ReLU();
    const [fc1, fc2] = [new Linear(4, 4, { seed }), new Linear(4, 4, { seed })];
    return { relu, network: new Sequential({ flat: new Flatten(), fc1, relu1: relu, fc2, relu2: relu }) };
  };
  const placed = twice();
  placeAfter(placed.network, { "relu*": quantizer() });
  expect(placed.relu.outputTransforms).toHaveLength(1);
  const { network } = twice();
  expect(() => placeAfter(network, { relu1: quantizer(), relu2: quantizer({ lambda: 2 }) })).toThrow(
    new RangeError('layers "relu1" and "relu2" are one module: name one of them'),
  );
  for (const defense of [sap(), binarizedNetwork()]) {
    const own = twice();
    const model = modelOf(own.network, { inputShape: [1, 2, 2], classes: 4 });
    model.build({ seed: 0, defenses: [defense] });
    expect(own.relu.outputTransforms).toHaveLength(1);
  }
});

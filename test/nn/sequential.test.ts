import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { imageIdRange, tensor } from "../../src/engine/index.js";
import { Module, type Pass, ReLU, Sequential, Tanh } from "../../src/nn/index.js";

const pass: Pass = {
  training: false,
  noise: { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) },
};

/** Adds a number, so that the order of layers shows. */
class Add extends Module {
  constructor(readonly addend: number) {
    super();
  }

  protected override forward(input: Parameters<Module["apply"]>[0]) {
    return input.add(this.addend);
  }
}

const output = (network: Module) => network.apply(tensor([-1], [1, 1]), pass).item();

test("layers are applied in the order of the list, whatever their names", () => {
  const listed = new Sequential([
    ["normalize", new Add(3)],
    ["0", new ReLU()],
  ]);
  expect(listed.namedChildren().map(([name]) => name)).toEqual(["normalize", "0"]);
  expect(output(listed)).toBe(2);
  expect(output(new Sequential({ 0: new ReLU(), 1: new Add(3) }))).toBe(3);
  expect(output(new Sequential({ add: new Add(3), relu: new ReLU() }))).toBe(2);
  expect(output(new Sequential([]))).toBe(-1);
});

test("an object that JavaScript reorders is refused, with the remedy", () => {
  expect(() => new Sequential({ normalize: new Add(3), 0: new ReLU() })).toThrow(
    new RangeError(
      'an object puts the layer "0" before "normalize", wherever it is written: ' +
        'give a list of pairs, such as [["normalize", layer], ["0", layer]]',
    ),
  );
  // Names that only look like numbers keep their places.
  expect(output(new Sequential({ "01": new Add(3), relu: new ReLU(), "-1": new Add(1) }))).toBe(3);
});

test("names and layers that cannot be are refused", () => {
  const relu = new ReLU();
  const made = (layers: unknown) => () => new Sequential(layers as never);
  expect(made(undefined)).toThrow("layers must be an object such as { relu: new ReLU() } or a list of pairs");
  expect(made([relu, relu])).toThrow(
    'an entry of layers must be a pair such as ["relu", new ReLU()], not a ReLU',
  );
  expect(made({ relu: ReLU })).toThrow('layer "relu" must be a module such as new ReLU(), not a function');
  expect(made({ "block.relu": relu })).toThrow('text without dots, such as "conv1", not "block.relu"');
  expect(made([["", relu]])).toThrow('text without dots, such as "conv1", not ""');
  const twice = [
    ["a", relu],
    ["a", relu],
  ];
  expect(made(twice)).toThrow('two layers have the name "a"');
});

test("what the last layer is given is the output of those before it", () => {
  const network = new Sequential({ add: new Add(3), tanh: new Tanh() });
  expect(network.applyBeforeLast(tensor([-1], [1, 1]), pass).item()).toBe(2);
  network.inputTransforms.push(new Add(10));
  expect(network.applyBeforeLast(tensor([-1], [1, 1]), pass).item()).toBe(12);
  const nested = new Sequential({ add: new Add(1), head: network });
  expect(nested.applyBeforeLast(tensor([-1], [1, 1]), pass).item()).toBe(13);
});

import { expect, test, vi } from "vitest";
import { Tensor, versions } from "../../src/engine/index.js";
import { Linear, Module, type Pass } from "../../src/nn/index.js";
import { moveState } from "../../src/nn/module.js";

class Tied extends Module {
  readonly first = new Linear(2, 2, { seed: 1 });
  readonly second = Object.assign(new Linear(2, 2, { seed: 1 }), { weight: this.first.weight });

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return this.second.apply(this.first.apply(input, pass), pass);
  }
}

const numbers = (network: Module) => [...network.state()].map(([name, value]) => [name, value.toNumbers()]);

test("every tensor moves: parameters stay parameters, shared ones shared, and the old ones are freed", () => {
  const network = new Tied();
  const [before, values] = [network.state(), numbers(network)];
  const moves: string[] = [];
  // A copy stands for one on a device that this machine may not have.
  const copied = vi.spyOn(Tensor.prototype, "toDevice").mockImplementation(function (this: Tensor, device) {
    moves.push(String(device));
    return this.clone();
  });
  try {
    moveState(network, "cuda:0");
  } finally {
    copied.mockRestore();
  }
  expect(moves).toEqual(["cuda:0", "cuda:0", "cuda:0"]);
  expect(numbers(network)).toEqual(values);
  expect([...network.parameters().keys()]).toEqual(["first.weight", "first.bias", "second.bias"]);
  expect(network.second.weight).toBe(network.first.weight);
  expect([...before.values()].every(({ disposed }) => disposed)).toBe(true);
});

test("tensors that are there already stay, and other devices are refused", () => {
  const network = new Tied();
  const before = network.state();
  expect(network.to("cpu").state()).toEqual(before);
  expect(network.first.weight).toBe(before.get("first.weight"));
  expect(() => network.to("cuda:99")).toThrow(RangeError);
  expect(() => network.to("meta")).toThrow(TypeError);
  expect(network.first.weight.disposed).toBe(false);
});

test.skipIf(versions().cudaDevices === 0)("a network moves to a device and back with its values", () => {
  const network = new Tied();
  const values = numbers(network);
  network.to("cuda:0");
  expect(new Set([...network.state().values()].map(({ device }) => device))).toEqual(new Set(["cuda:0"]));
  expect(network.second.weight).toBe(network.first.weight);
  expect(numbers(network.to("cpu"))).toEqual(values);
});

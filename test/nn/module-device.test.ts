// Networks on a device. The meta device, which has shapes but no values, stands for one that this machine may not have.

import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import type { Tensor } from "../../src/engine/index.js";
import { linear, Module, type Pass } from "../../src/nn/index.js";
import { moveState } from "../../src/nn/module.js";

class Tied extends Module {
  readonly first = linear(deriveSeed(1), "first", { in: 2, out: 2 });
  readonly second = Object.assign(linear(deriveSeed(1), "second", { in: 2, out: 2 }), { weight: this.first.weight });

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return this.second.apply(this.first.apply(input, pass), pass);
  }
}

test("every tensor moves: parameters stay parameters, shared ones shared, and the old ones are freed", () => {
  const network = new Tied();
  const before = network.state();
  moveState(network, "meta");
  expect([...network.state().values()].map(({ device }) => device)).toEqual(["meta", "meta", "meta", "meta"]);
  expect([...network.parameters().keys()]).toEqual([...before.keys()]);
  expect(network.second.weight).toBe(network.first.weight);
  expect([...before.values()].every(({ disposed }) => disposed)).toBe(true);
  const moved = network.first.weight;
  moveState(network, "meta");
  expect(network.first.weight).toBe(moved);
  expect(() => network.to("cuda:99")).toThrow(RangeError);
  expect(() => network.to("meta")).toThrow(TypeError);
});

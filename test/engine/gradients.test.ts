import { describe, expect, test } from "vitest";
import {
  enableGrad,
  grad,
  noGrad,
  operators as ops,
  scope,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";

const parameter = (values: number[], shape = [values.length]) =>
  tensor(values, shape, "float64").requireGrad();

/** Central differences of a scalar function of one float64 tensor. */
function finiteDifferences(body: (x: Tensor) => Tensor, at: readonly number[], step = 1e-6): number[] {
  const value = (x: number[]) => scope(() => body(tensor(x, [x.length], "float64")).item());
  return at.map((_, i) => {
    const shifted = (by: number) => at.map((v, j) => (i === j ? v + by : v));
    return (value(shifted(step)) - value(shifted(-step))) / (2 * step);
  });
}

describe("grad", () => {
  test("equals closed forms, for the chosen inputs only", () => {
    const x = parameter([1, -2, 3]);
    const y = parameter([4, 5, 6]);
    const [byY] = grad(x.square().mul(y).sum(), [y]);
    expect(byY!.toNumbers()).toEqual([1, 4, 9]);
    const [again, byX] = grad(x.square().mul(y).sum(), [y, x]);
    expect(again!.toNumbers()).toEqual([1, 4, 9]);
    expect(byX!.toNumbers()).toEqual([8, -20, 36]);
  });

  test.each<[string, (x: Tensor) => Tensor]>([
    ["tanh and sigmoid", (x) => x.tanh().mul(x.sigmoid()).sum()],
    ["log-softmax", (x) => x.logSoftmax(0).select(0, 1)],
    ["matmul and norm", (x) => ops.vectorNorm(x.reshape([2, 2]).matmul(x.reshape([2, 2])))],
    ["exp, log and square root", (x) => x.exp().add(1).log().sqrt().mean()],
    ["a slice of a power", (x) => x.slice(0, 1, 3).pow(3).sum()],
  ])("equals finite differences: %s", (_, body) => {
    const at = [0.3, -1.2, 0.7, 2.1];
    const x = parameter(at);
    const [gradient] = grad(body(x), [x]);
    const expected = finiteDifferences(body, at);
    for (const [i, value] of gradient!.toNumbers().entries()) expect(value).toBeCloseTo(expected[i]!, 7);
  });
  test("refuses an input that the output does not depend on, or gives zeros", () => {
    const x = parameter([1, 2]);
    const unused = parameter([1, 2, 3]);
    expect(() => grad(x.sum(), [x, unused])).toThrow(
      new RangeError("the output does not depend on input 1, of shape [3]"),
    );
    const [byX, zeros] = grad(x.sum(), [x, unused], { unused: "zeros" });
    expect(byX!.toNumbers()).toEqual([1, 1]);
    expect(zeros!.toNumbers()).toEqual([0, 0, 0]);
    const [ofConstant] = grad(tensor(1), [x], { unused: "zeros" });
    expect(ofConstant!.toNumbers()).toEqual([0, 0]);
  });

  test("takes a scalar only", () => {
    const x = parameter([1, 2]);
    expect(() => grad(x, [x])).toThrow(new RangeError("grad takes a scalar output, not one of shape [2]"));
    expect(() => grad(tensor(1), [x])).toThrow(
      /^grad: the output does not require grad: it was made of no tensor with/,
    );
  });

  test("refuses a list of no inputs, and one with a constant", () => {
    const x = parameter([1, 2]);
    expect(() => grad(x.sum(), [])).toThrow(new RangeError("inputs must hold at least one tensor, not none"));
    expect(() => grad(x.sum(), [x, tensor([1])])).toThrow(
      /^grad: input 1 does not require grad: call requireGrad\(\)/,
    );
  });

  test("frees the graph unless told to keep it", () => {
    const x = parameter([2]);
    const kept = x.square().sum();
    expect(grad(kept, [x], { keepGraph: true })[0]!.item()).toBe(4);
    expect(grad(kept, [x])[0]!.item()).toBe(4);
    expect(() => grad(kept, [x])).toThrow(
      /^grad: the output's graph was freed by an earlier grad: .*keepGraph: true$/,
    );
  });

  test("gives gradients of gradients with createGraph", () => {
    const x = parameter([2, 3]);
    const [first] = grad(x.pow(3).sum(), [x], { createGraph: true });
    expect(grad(first!.sum(), [x])[0]!.toNumbers()).toEqual([12, 18]);
  });

  test("leaves nothing alive but its results", () => {
    const x = parameter([1, 2]);
    const before = liveCount();
    const [gradient] = scope(() => grad(x.square().sum(), [x]));
    expect(liveCount() - before).toBe(1);
    gradient!.dispose();
  });
});

describe("noGrad and enableGrad", () => {
  test("switch recording, nested and after errors", () => {
    const x = parameter([1]);
    const recorded = () => x.mul(2).requiresGrad;
    expect(noGrad(recorded)).toBe(false);
    expect(noGrad(() => enableGrad(recorded))).toBe(true);
    expect(noGrad(() => [enableGrad(recorded), recorded()])).toEqual([true, false]);
    expect(() =>
      noGrad(() => {
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(recorded()).toBe(true);
  });

  test("refuse a Promise, which would run on with the wrong setting", () => {
    expect(() => noGrad(async () => 1)).toThrow(TypeError);
    expect(parameter([1]).mul(2).requiresGrad).toBe(true);
  });
});

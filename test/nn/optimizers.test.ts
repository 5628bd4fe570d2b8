import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import {
  countedUniform,
  imageIdRange,
  operators as ops,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { adam, type Optimizer, sgd } from "../../src/nn/index.js";

const start = [0.5, -1.5, 2];
const gradientAt = (step: number) => start.map((_, i) => Math.sin(step * 1.3 + i));
const rateAt = (step: number) => 0.1 / (1 + step);

/** Twenty updates in float64. */
function run(of: Optimizer): number[] {
  const weight = tensor(start, [3], "float64").requireGrad();
  const optimizer = of.on(new Map([["w", weight]]));
  for (let step = 0; step < 20; step++)
    optimizer.step([tensor(gradientAt(step), [3], "float64")], rateAt(step));
  expect(optimizer.steps).toBe(20);
  return weight.toNumbers();
}

function expectClose(found: number[], expected: number[]): void {
  for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 12);
}

describe("sgd", () => {
  test.each([
    { momentum: 0, weightDecay: 0, nesterov: false },
    { momentum: 0, weightDecay: 0.01, nesterov: false },
    { momentum: 0.9, weightDecay: 5e-4, nesterov: false },
    { momentum: 0.9, weightDecay: 5e-4, nesterov: true },
  ])("equals the published update: %o", ({ momentum, weightDecay, nesterov }) => {
    const w = [...start];
    const v = [0, 0, 0];
    for (let step = 0; step < 20; step++) {
      for (const [i, g] of gradientAt(step).entries()) {
        const d = g + weightDecay * w[i]!;
        v[i] = momentum * v[i]! + d;
        w[i]! -= rateAt(step) * (nesterov ? d + momentum * v[i]! : v[i]!);
      }
    }
    expectClose(run(sgd({ momentum, weightDecay, nesterov })), w);
  });

  test.each([
    { momentum: 0, weightDecay: 0.01, nesterov: false },
    { momentum: 0.9, weightDecay: 0, nesterov: false },
    { momentum: 0.9, weightDecay: 5e-4, nesterov: false },
    { momentum: 0.9, weightDecay: 5e-4, nesterov: true },
  ])("in one pass over float32 gives float64's weights, however gradients lie in memory: %o", (options) => {
    const shapes = { filters: [40, 24, 3, 3], matrix: [130, 257], bias: [10], scalar: [] };
    const noise = { seed: deriveSeed(3, "test"), draw: 0, imageIds: imageIdRange(0, 1) };
    const random = (shape: readonly number[], stream: number) =>
      countedUniform(noise, stream, shape).select(0, 0).sub(0.5);
    const trained = (dtype: "float32" | "float64", layout: "contiguous" | "channelsLast") => {
      const shaped = Object.entries(shapes).map(([name, shape], i) => [name, random(shape, i)] as const);
      const laid = (value: Tensor) => (value.shape.length === 4 ? value.contiguous(layout) : value);
      const parameters = new Map(shaped.map(([name, value]) => [name, laid(value.to(dtype)).requireGrad()]));
      const optimizer = sgd(options).on(parameters);
      for (let step = 0; step < 6; step++) {
        // The bias's is one number that stands for all, as a broadcast one's is.
        const gradients = shaped.map(([name, { shape }], i) =>
          name === "bias"
            ? ops.full([1], 0.1 * step, dtype).expand([10])
            : random(shape, 10 * step + i + 5).to(dtype),
        );
        optimizer.step(gradients, rateAt(step));
      }
      return [...parameters.values()].map((value) => value.detach().contiguous("contiguous").toNumbers());
    };
    const expected = trained("float64", "contiguous");
    for (const layout of ["contiguous", "channelsLast"] as const) {
      for (const [i, values] of trained("float32", layout).entries()) {
        for (const [j, value] of values.entries()) {
          if (Math.abs(value - expected[i]![j]!) > 2e-7) expect(value).toBe(expected[i]![j]!);
        }
      }
    }
  });

  test("in one pass refuses gradients of another shape or kind, and changes nothing then", () => {
    const weights = tensor(start, [3], "float32").requireGrad();
    const optimizer = sgd({ momentum: 0.9, weightDecay: 0 }).on(new Map([["w", weights]]));
    expect(() => optimizer.step([tensor([1, 2], [2], "float32")], 0.1)).toThrow(
      new RangeError('the gradient of "w" must have its shape [3], not [2]'),
    );
    expect(() => optimizer.step([tensor(start, [3], "float64")], 0.1)).toThrow(
      "a gradient must be float32 on the CPU and of its parameter's shape",
    );
    expect(weights.toNumbers()).toEqual(start);
  });

  test("refuses options and gradients that make no sense", () => {
    const parameters = new Map([["w", tensor(start)]]);
    expect(() => sgd({ momentum: 1 })).toThrow(
      new RangeError('optimizer sgd: option "momentum" cannot be 1; accepted: a number in [0, 1)'),
    );
    expect(() => sgd({ momentum: 0, nesterov: true })).toThrow("nesterov needs a momentum above 0");
    expect(() => sgd().on(parameters).step([], 0.1)).toThrow(
      "step takes a gradient for each of the 1 parameters, not 0",
    );
    expect(() =>
      sgd()
        .on(parameters)
        .step([tensor(start)], Number.NaN),
    ).toThrow("learningRate must be finite and >= 0");
  });
});

test.each([{ weightDecay: 0 }, { weightDecay: 0.01 }])("adam equals Algorithm 1: %o", ({ weightDecay }) => {
  const w = [...start];
  const [m, v] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let step = 0; step < 20; step++) {
    for (const [i, gradient] of gradientAt(step).entries()) {
      const g = gradient + weightDecay * w[i]!;
      m![i] = 0.9 * m![i]! + 0.1 * g;
      v![i] = 0.999 * v![i]! + 0.001 * g * g;
      const mean = m![i]! / (1 - 0.9 ** (step + 1));
      const square = v![i]! / (1 - 0.999 ** (step + 1));
      w[i]! -= (rateAt(step) * mean) / (Math.sqrt(square) + 1e-8);
    }
  }
  expectClose(run(adam({ weightDecay })), w);
});

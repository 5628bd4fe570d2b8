import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { grad, imageIdRange, type Tensor, tensor } from "../../../src/engine/index.js";
import {
  BatchNorm2d,
  Conv2d,
  GlobalAveragePool,
  Linear,
  MaxPool2d,
  type Module,
  Normalize,
  type Pass,
} from "../../../src/nn/index.js";

const pass = (training: boolean): Pass => ({
  training,
  noise: { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) },
});
const values = (count: number, phase: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(i * 1.3 + phase));
const parameter = (shape: number[], phase: number) =>
  tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      phase,
    ),
    shape,
    "float64",
  ).requireGrad();

/** Checks gradients of sum(layer(input)^3) against central differences, in float64. */
function expectGradients(layer: Module, inputs: readonly Tensor[], input: Tensor, training: boolean): void {
  const loss = () => layer.apply(input, pass(training)).pow(3).sum();
  const gradients = grad(loss(), inputs).map((gradient) => gradient.toNumbers());
  for (const [k, variable] of inputs.entries()) {
    const memory = variable.detach().shareArray() as Float64Array;
    for (let i = 0; i < memory.length; i++) {
      const value = memory[i]!;
      memory[i] = value + 1e-5;
      const above = loss().item();
      memory[i] = value - 1e-5;
      const below = loss().item();
      memory[i] = value;
      expect(gradients[k]![i]).toBeCloseTo((above - below) / 2e-5, 5);
    }
  }
}

describe("gradients equal finite differences", () => {
  test("convolution with stride and padding", () => {
    const [x, w, b] = [parameter([1, 2, 4, 4], 0), parameter([3, 2, 3, 3], 1), parameter([3], 2)];
    expectGradients(Conv2d.of(w, b, { stride: 2, padding: 1 }), [x, w, b], x, false);
  });

  test("fully connected", () => {
    const [x, w, b] = [parameter([2, 3], 0), parameter([4, 3], 1), parameter([4], 2)];
    expectGradients(Linear.of(w, b), [x, w, b], x, false);
  });

  test.each([true, false])("batch normalization, training %s", (training) => {
    const [x, w, b] = [parameter([2, 2, 2, 2], 0), parameter([2], 1), parameter([2], 2)];
    const running_mean = tensor([0.1, -0.2], [2], "float64");
    const running_var = tensor([1.5, 0.5], [2], "float64");
    const layer = BatchNorm2d.of({ weight: w, bias: b, running_mean, running_var });
    expectGradients(layer, [x, w, b], x, training);
  });

  test("normalization by constants, and the mean over an image", () => {
    const x = parameter([2, 3, 2, 2], 0);
    expectGradients(new Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]), [x], x, false);
    expectGradients(new GlobalAveragePool(), [x], x, true);
  });

  test("max pooling", () => {
    const x = parameter([1, 2, 4, 4], 0);
    expectGradients(new MaxPool2d(2), [x], x, false);
  });
});

test("batch normalization moves its running statistics by the momentum, the variance unbiased", () => {
  const x = tensor([1, 2, 3, 6], [2, 1, 1, 2], "float64");
  const [mean, variance] = [tensor([0], [1], "float64"), tensor([1], [1], "float64")];
  const [weight, bias] = [tensor([1], [1], "float64"), tensor([0], [1], "float64")];
  const layer = BatchNorm2d.of({ weight, bias, running_mean: mean, running_var: variance });
  const trained = layer.apply(x, pass(true)).toNumbers();
  // Mean 3, variance 14 / 4 of the batch, 14 / 3 unbiased.
  for (const [i, value] of [1, 2, 3, 6].entries())
    expect(trained[i]).toBeCloseTo((value - 3) / Math.sqrt(3.5 + 1e-5), 12);
  expect(mean.item()).toBeCloseTo(0.3, 12);
  expect(variance.item()).toBeCloseTo(0.9 + 0.1 * (14 / 3), 12);
  layer.apply(x, pass(false));
  expect(mean.item()).toBeCloseTo(0.3, 12);
  expect(() => layer.apply(tensor([1], [1, 1, 1, 1], "float64"), pass(true))).toThrow(/one value a channel/);
});

test("normalization subtracts the mean and divides by the deviation, and adds nothing to a network's state", () => {
  const layer = new Normalize([0.5, 0.25], [0.5, 2]);
  const output = layer.apply(tensor([1, 0, 0.5, 1], [1, 2, 1, 2]), pass(false));
  expect(output.toNumbers()).toEqual([1, -1, 0.125, 0.375]);
  expect(layer.state().size).toBe(0);
  expect(() => layer.apply(tensor([1], [1, 1, 1, 1]), pass(false))).toThrow(
    "normalization of 2 channels cannot take [1, 1",
  );
  expect(() => new Normalize([0.5], [0])).toThrow("std must be above 0, not [0]");
  expect(() => new Normalize([0.5, 0.5], [1])).toThrow("std must hold a number for each channel");
});

test("Kaiming's normal distribution has variance 2 / fan out, mean 0, and normal tails", () => {
  const { weight } = new Conv2d(100, 64, 3, { bias: false, initialization: "kaiming-normal", seed: 3 });
  const scaled = weight.toNumbers().map((value) => value * Math.sqrt((64 * 9) / 2));
  const moment = (power: number) => scaled.reduce((sum, value) => sum + value ** power, 0) / scaled.length;
  // 57,600 draws: five standard errors.
  expect(Math.abs(moment(1))).toBeLessThan(5 / 240);
  expect(Math.abs(moment(2) - 1)).toBeLessThan((5 * Math.sqrt(2)) / 240);
  expect(Math.abs(moment(4) - 3)).toBeLessThan((5 * Math.sqrt(96)) / 240);
});

test("layers of given tensors say which shapes they take", () => {
  const [square, side] = [tensor([1, 2, 3, 4], [2, 2]), tensor([1, 2], [2])];
  const kernel = tensor([1, 2], [2, 1, 1, 1]);
  expect(() => Conv2d.of(square)).toThrow("weight must have the shape [any, any, any, any], not [2, 2]");
  expect(() => Conv2d.of(kernel, square)).toThrow("bias must have the shape [2], not [2, 2]");
  expect(() => Linear.of(square, tensor([1], [1]))).toThrow("bias must have the shape [2], not [1]");
  expect(() => Linear.of([1] as never)).toThrow("weight must be a tensor, not [1]");
  expect(() => BatchNorm2d.of({ weight: side, bias: side, running_mean: square, running_var: side })).toThrow(
    "running_mean must have the shape [2], not [2, 2]",
  );
});

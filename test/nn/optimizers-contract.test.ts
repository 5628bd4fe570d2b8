import { afterAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { deriveSeed } from "../../src/base/index.js";
import { countedNormal, imageIdRange, noGrad, scope, type Tensor, tensor } from "../../src/engine/index.js";
import { defineOptimizer, type OptimizerRun, optimizers } from "../../src/nn/index.js";
import { testDefinition } from "../options/kind-contract.js";

/** Optimizer of somebody else's: a step along the sign of the mean of gradients. */
const signs = defineOptimizer("signs", {
  summary: "steps along the sign of the gradients' mean",
  options: z.strictObject({
    keep: z.number().min(0).lt(1).default(0.5).describe("share of the mean that a step keeps"),
  }),
  rule({ keep }, parameters) {
    const values = [...parameters.values()];
    const means = new Map(
      [...parameters].map(([name, value]) => [`mean.${name}`, value.detach().zerosLike()]),
    );
    return {
      state: means,
      factorCount: 1,
      factors: (learningRate) => [-learningRate],
      update(gradients, [rate]) {
        for (const [i, mean] of [...means.values()].entries()) {
          mean.mul_(keep);
          mean.add_(gradients[i]!.mul(1 - keep));
          values[i]!.detach().add_(mean.sign().mul(rate!));
        }
      },
    };
  },
});
afterAll(optimizers.register(signs));

const noise = { seed: deriveSeed(7), draw: 0, imageIds: imageIdRange(0, 1) };
const shapes = { filters: [4, 2, 3, 3], matrix: [3, 5], bias: [5], scale: [] };

/** Parameters around 1, and the curvature of a quadratic bowl for each entry. */
function bowl() {
  const random = (shape: readonly number[], stream: number) =>
    countedNormal(noise, stream, shape).select(0, 0);
  const entries = Object.entries(shapes).map(([name, shape], i) => {
    const parameter = random(shape, i).add(1).detach().requireGrad();
    return [
      name,
      parameter,
      random(shape, i + 100)
        .abs()
        .add(0.2),
    ] as const;
  });
  const parameters = new Map(entries.map(([name, parameter]) => [name, parameter]));
  const gradients = () =>
    noGrad(() => entries.map(([, parameter, curvature]) => parameter.detach().mul(curvature)));
  const height = () =>
    entries.reduce(
      (sum, [, parameter, c]) => sum + scope(() => parameter.detach().square().mul(c).sum().item()) / 2,
      0,
    );
  return { parameters, gradients, height };
}

const numbers = (tensors: ReadonlyMap<string, Tensor>) =>
  [...tensors].map(([name, value]) => [name, value.detach().contiguous("contiguous").toNumbers()]);

describe.each(optimizers.names)("optimizer %s", (name) => {
  const definition = optimizers.definition(name);
  testDefinition(optimizers, definition);
  const begin = (parameters: ReadonlyMap<string, Tensor>): OptimizerRun => definition.make({}).on(parameters);

  test("goes down a quadratic bowl to a hundredth of its height", () => {
    const { parameters, gradients, height } = bowl();
    const run = begin(parameters);
    const start = height();
    for (let step = 0; step < 300; step++) run.step(gradients(), 0.02);
    expect(run.steps).toBe(300);
    expect(height()).toBeLessThan(start / 100);
  });

  test("leaves parameters as they are at a rate of 0", () => {
    const { parameters, gradients } = bowl();
    const before = numbers(parameters);
    begin(parameters).step(gradients(), 0);
    expect(numbers(parameters)).toEqual(before);
  });

  test("goes on from its state and its count of steps as if it had never stopped", () => {
    const [whole, first] = [bowl(), bowl()];
    const [run, before] = [begin(whole.parameters), begin(first.parameters)];
    for (let step = 0; step < 5; step++) {
      run.step(whole.gradients(), 0.05);
      before.step(first.gradients(), 0.05);
    }
    const after = begin(first.parameters);
    expect([...after.state.keys()]).toEqual([...before.state.keys()]);
    for (const [name, value] of after.state) value.copy_(before.state.get(name)!);
    after.steps = before.steps;
    for (let step = 0; step < 5; step++) {
      run.step(whole.gradients(), 0.03);
      after.step(first.gradients(), 0.03);
    }
    expect(numbers(first.parameters)).toEqual(numbers(whole.parameters));
  });

  test("makes the same update of numbers as of tensors, which a device's graph reads", () => {
    const [byNumber, byTensor] = [bowl(), bowl()];
    const [one, other] = [begin(byNumber.parameters), begin(byTensor.parameters)];
    for (const rate of [0.1, 0.02]) {
      one.step(byNumber.gradients(), rate);
      const factors = other.nextFactors(rate);
      expect(factors).toHaveLength(other.factorCount);
      other.update(
        byTensor.gradients(),
        factors.map((factor) => tensor([factor], []) as Tensor),
      );
    }
    expect(numbers(byTensor.parameters)).toEqual(numbers(byNumber.parameters));
  });

  test("refuses rates, gradients and parameters that make no sense", () => {
    const { parameters, gradients } = bowl();
    const run = begin(parameters);
    for (const rate of [-0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => run.step(gradients(), rate)).toThrow("learningRate must be finite and >= 0");
    }
    expect(() => run.step(gradients().slice(1), 0.1)).toThrow(
      "a gradient for each of the 4 parameters, not 3",
    );
    expect(() => run.step(gradients(), "0.1" as never)).toThrow('learningRate must be a number, not "0.1"');
    expect(() => run.step([...gradients().slice(1), tensor(1)], 0.1)).toThrow(/must have its shape .*, not /);
    expect(() => run.step(undefined as never, 0.1)).toThrow(
      "gradients must be a list of tensors, not undefined",
    );
    expect(() => begin({} as never)).toThrow(
      "parameters must be a Map such as module.parameters(), not an object",
    );
    expect(() => begin(new Map())).toThrow("parameters must hold a tensor or more");
    expect(() => begin(new Map([["w", 1]]) as never)).toThrow(
      "parameters must be a Map such as module.parameters()",
    );
  });
});

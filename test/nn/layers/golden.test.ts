import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { grad, imageIdRange, tensor } from "../../../src/engine/index.js";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  type Conv2dOptions,
  GELU,
  GroupNorm,
  LayerNorm,
  LeakyReLU,
  Linear,
  type LinearOptions,
  MaxPool2d,
  type Module,
  Sigmoid,
  SiLU,
  Tanh,
} from "../../../src/nn/index.js";

interface Case {
  readonly layer: string;
  readonly arguments: readonly unknown[];
  readonly input: readonly number[];
  readonly shape: readonly number[];
  readonly output: readonly number[];
  /** By the input and each parameter, in PyTorch's order. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

/** Made by PyTorch: see layers.py beside it. */
const golden = JSON.parse(readFileSync(new URL("../../golden/layers.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

const seeded = <Options>(options: unknown) => ({ ...(options as Options), seed: 0 });
const makers: Readonly<Record<string, (given: readonly never[]) => Module>> = {
  Conv2d: ([channels, filters, kernel, options]) =>
    new Conv2d(channels!, filters!, kernel!, seeded<Conv2dOptions>(options)),
  Linear: ([inputs, outputs, options]) => new Linear(inputs!, outputs!, seeded<LinearOptions>(options)),
  MaxPool2d: ([window, options]) => new MaxPool2d(window!, options),
  AvgPool2d: ([window, options]) => new AvgPool2d(window!, options),
  AdaptiveAvgPool2d: ([output]) => new AdaptiveAvgPool2d(output!),
  LeakyReLU: ([slope]) => new LeakyReLU(slope),
  GELU: ([options]) => new GELU(options),
  SiLU: () => new SiLU(),
  Sigmoid: () => new Sigmoid(),
  Tanh: () => new Tanh(),
  GroupNorm: ([groups, channels, options]) => new GroupNorm(groups!, channels!, options),
  LayerNorm: ([shape, options]) => new LayerNorm(shape!, options),
};

const count = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);
const wave = (shape: readonly number[], phase: number) =>
  tensor(
    Float64Array.from({ length: count(shape) }, (_, i) => Math.sin(1.3 * i + phase)),
    shape,
  );

test.each(
  golden.cases.map((one) => [`${one.layer}(${JSON.stringify(one.arguments).slice(1, -1)})`, one] as const),
)("%s computes what PyTorch does, forward and back", (_, one) => {
  const layer = makers[one.layer]!(one.arguments as never[]);
  const names = Object.keys(one.gradients).slice(1);
  expect([...layer.parameters().keys()]).toEqual(names);
  const parameters = names.map((name, i) => wave(layer.state().get(name)!.shape, i + 1).requireGrad());
  for (const [i, name] of names.entries()) Object.assign(layer, { [name]: parameters[i] });
  const input = wave(one.input, 0).requireGrad();
  const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, one.input[0]!) };
  const output = layer.apply(input, { training: true, noise });
  expect(output.shape).toEqual(one.shape);
  const weights = tensor(
    Float64Array.from({ length: output.size }, (_, i) => Math.cos(i)),
    output.shape,
  );
  const found = [output, ...grad(output.mul(weights).sum(), [input, ...parameters])];
  for (const [i, wanted] of [one.output, ...Object.values(one.gradients)].entries()) {
    const numbers = found[i]!.toNumbers();
    expect(numbers).toHaveLength(wanted.length);
    for (const [k, value] of wanted.entries()) expect(numbers[k]).toBeCloseTo(value, 8);
  }
});

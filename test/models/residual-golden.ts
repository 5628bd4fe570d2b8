import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { grad, imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { type Architecture, models } from "../../src/models/index.js";
import { wideResnet } from "../../src/models/wide-resnet.js";
import { type Module, meanCrossEntropy } from "../../src/nn/index.js";

interface Summary {
  readonly first: readonly number[];
  readonly sum: number;
  readonly norm: number;
}

/** Numbers of a pass by PyTorch, forward and back. */
export interface GoldenPass {
  readonly network: string;
  readonly training: boolean;
  /** Height and width of the images; 16 where left out. */
  readonly side?: number;
  readonly logits: readonly number[];
  readonly loss: number;
  readonly imageGradient: Summary;
  readonly gradients: Readonly<Record<string, Summary>>;
  readonly buffers?: Readonly<Record<string, Summary>>;
}

/** Published sizes of a network, and a hash of its weights' names and shapes. */
export interface GoldenNetwork {
  readonly parameters: number;
  readonly tensors: number;
  readonly sha256: string;
}

/** Numbers by PyTorch in float64, from a file in test/golden. */
export function golden(file: string): {
  readonly networks: Readonly<Record<string, GoldenNetwork>>;
  readonly passes: readonly GoldenPass[];
} {
  return JSON.parse(readFileSync(new URL(`../golden/${file}`, import.meta.url), "utf8"));
}

const wide = wideResnet(16, 2);
const cifar10 = "mean=[0.4914, 0.4822, 0.4465], std=[0.247, 0.2435, 0.2616]";

/** Architecture of a golden network, which normalizes its images by CIFAR-10's statistics. */
export function goldenArchitecture(text: string): Architecture {
  const normalized = text.endsWith(")") ? `${text.slice(0, -1)}, ${cifar10})` : `${text}(${cifar10})`;
  return text === wide.name
    ? wide({ mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] })
    : models.parse(normalized);
}

/** Numbers in [-0.5, 0.5) by name and index, the same in Python. */
export function units(name: string, count: number): Float64Array {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 16777619);
  const made = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let x = (Math.imul(index + 1, 0x9e3779b1) + hash) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x85ebca6b) >>> 0;
    made[index] = ((x ^ (x >>> 13)) >>> 8) * 2 ** -24 - 0.5;
  }
  return made;
}

/** Deviation and mean of a tensor's numbers: convolutions keep the size of what they are given. */
function form(name: string, shape: readonly number[]): [scale: number, offset: number] {
  if (name.endsWith("running_var")) return [0.5, 1];
  if (shape.length === 4) return [2 * Math.sqrt(6 / (shape[1]! * shape[2]! * shape[3]!)), 0];
  if (shape.length === 2) return [4 / Math.sqrt(shape[1]!), 0];
  return name.endsWith("weight") ? [0.2, 0.6] : [0.2, 0];
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

function value(name: string, shape: readonly number[]): Tensor {
  const [scale, offset] = form(name, shape);
  return tensor(
    Float32Array.from(units(name, sizeOf(shape)), (unit) => scale * unit + offset),
    shape,
  );
}

/** Gives a network's weights and buffers the golden values. */
export function fill(module: Module): void {
  for (const [name, own] of module.state()) {
    using given = value(name, own.shape);
    own.detach().copy_(given);
  }
}

/** Golden images (2, 3, side, side) in [0, 1). */
export function goldenImages(side: number): Tensor {
  const shape = [2, 3, side, side];
  return tensor(
    Float32Array.from(units("images", sizeOf(shape)), (unit) => unit + 0.5),
    shape,
  );
}

function expectSummary(own: Tensor, { first, sum, norm }: Summary): void {
  const numbers = own.contiguous().toNumbers();
  // Float32 beside float64 over dozens of layers, where single activations change sides at a ReLU.
  const near = (found: number, wanted: number) => expect(Math.abs(found - wanted)).toBeLessThan(2e-3 * norm);
  for (const [i, wanted] of first.entries()) near(numbers[i]!, wanted);
  const total = numbers.reduce((a, b) => a + b, 0);
  expect(Math.abs(total - sum)).toBeLessThan(2e-3 * norm * Math.sqrt(numbers.length));
  expect(Math.sqrt(numbers.reduce((a, b) => a + b * b, 0)) / norm).toBeCloseTo(1, 3);
}

/** Expects of a network what PyTorch computed: logits, loss, gradients and running statistics. */
export function expectPass(architecture: Architecture, pass: GoldenPass): void {
  const { training, side = 16, logits, loss, imageGradient, gradients, buffers = {} } = pass;
  const { module } = architecture.build({ seed: 0 });
  fill(module);
  const images = goldenImages(side).requireGrad();
  const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
  const output = module.apply(images, { training, noise });
  for (const [i, wanted] of logits.entries()) expect(output.toNumbers()[i]).toBeCloseTo(wanted, 3);
  const mean = meanCrossEntropy(output, tensor([3, 7], [2], "int64"));
  expect(mean.item()).toBeCloseTo(loss, 4);
  const parameters = module.parameters();
  const found = grad(mean, [images, ...Object.keys(gradients).map((key) => parameters.get(key)!)]);
  for (const [i, summary] of [imageGradient, ...Object.values(gradients)].entries()) {
    expectSummary(found[i]!, summary);
  }
  for (const [key, summary] of Object.entries(buffers)) expectSummary(module.state().get(key)!, summary);
  module.dispose();
}

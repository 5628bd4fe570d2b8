import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { placedQuantizers } from "../../src/defenses/index.js";
import { grad, imageIdRange, noGrad, type Tensor, tensor } from "../../src/engine/index.js";
import { models, type Network, parseNetwork } from "../../src/models/index.js";
import { wideResnet } from "../../src/models/wide-resnet.js";
import { type Module, meanCrossEntropy, type Pass, parameterCount } from "../../src/nn/index.js";

interface Summary {
  first: number[];
  sum: number;
  norm: number;
}
interface Golden {
  networks: Record<string, { parameters: number; tensors: number; sha256: string }>;
  passes: {
    network: string;
    training: boolean;
    logits: number[];
    loss: number;
    imageGradient: Summary;
    gradients: Record<string, Summary>;
    buffers?: Record<string, Summary>;
  }[];
}

/** Made by PyTorch and torchvision in float64, on the same weights. */
const golden: Golden = JSON.parse(
  readFileSync(new URL("../golden/residual-networks.json", import.meta.url), "utf8"),
) as Golden;

const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
const pass = (training: boolean): Pass => ({ training, quantization: true, noise });

/** Numbers in [-0.5, 0.5) by name and index, the same in Python. */
function units(name: string, count: number): Float64Array {
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

/** The deviation and the mean of a tensor's numbers: convolutions keep the size of what they are given. */
function form(name: string, shape: readonly number[]): [scale: number, offset: number] {
  if (name.endsWith("running_var")) return [0.5, 1];
  if (shape.length === 4) return [2 * Math.sqrt(6 / (shape[1]! * shape[2]! * shape[3]!)), 0];
  if (shape.length === 2) return [4 / Math.sqrt(shape[1]!), 0];
  return name.endsWith("weight") ? [0.2, 0.6] : [0.2, 0];
}

function value(name: string, shape: readonly number[]): Tensor {
  const [scale, offset] = form(name, shape);
  const made = units(
    name,
    shape.reduce((product, side) => product * side, 1),
  );
  for (let i = 0; i < made.length; i++) made[i] = scale * made[i]! + offset;
  return tensor(Float32Array.from(made), shape);
}

function fill(module: Module): void {
  for (const [name, own] of module.state()) {
    using given = value(name, own.shape);
    own.detach().copy_(given);
  }
}

const wide = wideResnet(16, 2);
const networkOf = (name: string): Network => (name === wide.name ? wide : parseNetwork(name));

describe.each(Object.entries(golden.networks))("%s", (name, { parameters, tensors, sha256 }) => {
  test("has the published number of parameters, and PyTorch's names and shapes", () => {
    const { module } = networkOf(name).build({ seed: 0 });
    const rows = [...module.state()].map(([key, { shape }]) => `${key} [${shape.join(",")}]`).sort();
    expect(parameterCount(module)).toBe(parameters);
    expect(rows).toHaveLength(tensors);
    expect(createHash("sha256").update(rows.join("\n")).digest("hex")).toBe(sha256);
    module.dispose();
  });
});

function expectSummary(own: Tensor, { first, sum, norm }: Summary): void {
  const numbers = own.contiguous().toNumbers();
  // Float32 beside float64 over dozens of layers, where single activations change sides at a ReLU.
  const near = (found: number, wanted: number) => expect(Math.abs(found - wanted)).toBeLessThan(2e-3 * norm);
  for (const [i, wanted] of first.entries()) near(numbers[i]!, wanted);
  const total = numbers.reduce((a, b) => a + b, 0);
  expect(Math.abs(total - sum)).toBeLessThan(2e-3 * norm * Math.sqrt(numbers.length));
  expect(Math.sqrt(numbers.reduce((a, b) => a + b * b, 0)) / norm).toBeCloseTo(1, 3);
}

test.each(golden.passes.map((one) => [one.network, one.training ? "in training" : "in evaluation", one] as const))(
  "%s %s computes what PyTorch does, forward and backward",
  (name, _, { training, logits, loss, imageGradient, gradients, buffers = {} }) => {
    const { module } = networkOf(name).build({ seed: 0 });
    fill(module);
    const pixels = Float32Array.from(units("images", 2 * 3 * 16 * 16), (unit) => unit + 0.5);
    const images = tensor(pixels, [2, 3, 16, 16]).requireGrad();
    const output = module.apply(images, pass(training));
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
  },
);

describe("SQA in residual networks", () => {
  const places = (text: string) => {
    const { module } = parseNetwork(text).build({ seed: 0, sqa: {} });
    return Object.fromEntries(placedQuantizers(module).map(([name, { options }]) => [name, options.lambda]));
  };

  test("stands after the first layer with lambda 1 and after every block with lambda 2", () => {
    const blocks = [1, 2, 3, 4].flatMap((stage) => [0, 1].map((block) => [`layer${stage}.${block}`, 2]));
    expect(places("resnet18")).toEqual({ relu: 1, ...Object.fromEntries(blocks) });
    expect(places("preact-resnet18")).toEqual({ "layer1.0.relu1": 1, ...Object.fromEntries(blocks) });
  });

  test("can be read otherwise", () => {
    const read = (text: string) => parseNetwork(text).quantizedLayers;
    expect(read("resnet34(quantized=first-layer)")).toEqual({ relu: 1 });
    expect(read("resnet34(quantized=first-block)")).toEqual({ relu: 1, "layer1.0": 2 });
    expect(read("resnet34(quantized=stages)")).toEqual({
      relu: 1,
      "layer1.2": 2,
      "layer2.3": 2,
      "layer3.5": 2,
      "layer4.2": 2,
    });
  });

  test("makes the network random, whose twin is not", () => {
    const model = parseNetwork("resnet18(quantized=stages)").build({ seed: 0, sqa: {} });
    const images = tensor(
      Float32Array.from(units("images", 2 * 3072), (unit) => unit + 0.5),
      [2, 3, 32, 32],
    );
    const logits = (draw: number, quantization = true) =>
      noGrad(() =>
        model
          .classifier({ quantization })
          .logits(images, { ...noise, draw })
          .toNumbers(),
      );
    expect(logits(1)).not.toEqual(logits(2));
    expect(logits(1, false)).toEqual(logits(2, false));
    expect(logits(1)).toEqual(logits(1));
    expect(logits(1).every(Number.isFinite)).toBe(true);
    model.module.dispose();
  });
});

describe("networks", () => {
  test.each(models.map((model) => [model.name, model] as const))("%s is written as its name", (name, model) => {
    const parsed = parseNetwork(name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect([parsed.name, parsed.shortLabel]).toEqual([name, name]);
    expect(parseNetwork(parsed.label).label).toBe(parsed.label);
    expect(parsed.inputShape).toEqual(model.inputShape);
    for (const option of Object.values(model.options.shape)) expect(option.description).toBeTruthy();
  });

  test("take options in parentheses", () => {
    const network = parseNetwork("resnet18( classes=100, normalization=none)");
    expect(network.shortLabel).toBe("resnet18(classes=100, normalization=none)");
    const model = network.build({ seed: 0 });
    expect([model.network, model.classes]).toEqual([network.shortLabel, 100]);
    expect(model.module.state().get("fc.weight")!.shape).toEqual([100, 512]);
    expect(model.module.namedChildren()[0]![0]).toBe("conv1");
    model.module.dispose();
  });

  test.each(["resnet18", "preact-resnet18", "resnet50"])(
    "%s can be narrower, with the same names and places of SQA",
    (name) => {
      const [narrow, wide] = [`${name}(width=8)`, name].map((text) => parseNetwork(text).build({ seed: 0, sqa: {} }));
      const shapes = (model: typeof narrow) =>
        [...model!.module.state()].map(([key, { shape }]) => [key, shape] as const);
      // Channels of images, classes, single numbers and kernels' sides stay as they are.
      const narrowed = shapes(wide).map(([key, shape]) => [key, shape.map((n) => (n >= 64 ? n / 8 : n))]);
      expect(shapes(narrow)).toEqual(narrowed);
      const placesOf = (model: typeof narrow) => placedQuantizers(model!.module).map(([place]) => place);
      expect(placesOf(narrow)).toEqual(placesOf(wide));
      for (const model of [narrow, wide]) model!.module.dispose();
    },
  );

  test.each([
    ["resnet81", 'unknown network "resnet81"; did you mean "resnet18"?'],
    ["resnet18(class=10)", 'unknown option "class"; did you mean "classes"?'],
    ["resnet18(classes=1)", 'option "classes" cannot be 1; accepted: a whole number in [2, 100000]'],
    ["resnet18(width=0)", 'option "width" cannot be 0; accepted: a whole number in [1, 1024]'],
    ["small(large())", "network small: takes options such as a=1, given large()"],
  ])("%s is refused", (text, message) => {
    expect(() => parseNetwork(text)).toThrow(message);
  });
});

import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/engine/index.js";
import type { Graph, GraphNode } from "../../../src/models/exported/graph.js";
import { GraphModule } from "../../../src/models/exported/graph-module.js";
import { normalizationBy, normalizingPart } from "../../../src/models/exported/normalizes.js";
import type { FileModel } from "../../../src/models/index.js";
import { load, noiseOf } from "./fixtures.js";
import { loadOnnx } from "./onnx/fixtures.js";

/** Graph of nodes written as `output = operator(inputs)`, with the weights `mean` and `std`. */
function graphOf(...lines: string[]): Graph {
  const nodes = lines.map((line): GraphNode => {
    const [, output, operator, inputs] = /^(\w+) = ([\w.]+)\((.*)\)$/.exec(line)!;
    const read = inputs!.split(", ").filter((name) => name !== "");
    return { name: output!, operator: operator!, inputs: read, outputs: [output!], run: () => [] };
  });
  const weights = ["mean", "std"].map((name) => ({
    ...{ name, values: [name], parameter: false },
    make: () => {
      throw new Error("not needed");
    },
  }));
  const form = { imageSizes: [3, 8, 8], imageType: "float32", batch: { least: 1, most: 9 } } as const;
  return { ...form, input: "x", output: nodes.at(-1)!.name, weights, nodes };
}

test.each<[string, readonly string[], readonly string[]]>([
  ["a mean and a deviation", ["a = Sub(x, mean)", "b = Div(a, std)", "c = Conv(b)"], ["Sub", "Div"]],
  [
    "those that a program makes of constants, written in place",
    ["m = aten.view(mean)", "y = aten.clone(x)", "a = aten.sub_(y, m)", "b = aten.div_(a, std)"],
    ["aten.sub_", "aten.div_"],
  ],
  [
    "a factor and a shift",
    ["a = aten.mul(x)", "b = aten.add(a)", "c = aten.conv2d(b)"],
    ["aten.mul", "aten.add"],
  ],
  ["batch normalization", ["a = BatchNormalization(x, mean, std)", "b = Conv(a)"], ["BatchNormalization"]],
  ["batch normalization of features", ["a = Conv(x)", "b = BatchNormalization(a, mean, std)"], []],
  ["a factor alone", ["a = Mul(x)", "b = Conv(a)"], []],
  ["bytes that become floats again", ["a = Mul(x)", "b = Cast(a)", "c = Div(b)", "d = Conv(c)"], []],
  ["images that others read, too", ["a = Sub(x, mean)", "b = Conv(x)", "c = Add(a, b)"], []],
  ["noise, which is no constant", ["n = aten.relu(x)", "a = aten.sub(x, n)"], []],
])("%s: the operators that normalize are found", (_, lines, found) => {
  expect(normalizingPart(graphOf(...lines))?.operators ?? []).toEqual(found);
});

test("a .pt2 model for pixels of 0 to 255 warns, unless they are multiplied before", async () => {
  const warned = (await load("of-bytes")).warnings.join();
  expect(warned).toContain("(aten.sub, aten.div) as if pixels were 0 to 255, but they lie in [0, 1]");
  expect(warned).toContain("--normalize 0,0,0/0.003921569,0.003921569,0.003921569");
  const times = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };
  expect((await load("of-bytes", { normalize: times })).warnings).toEqual([]);
  const twice = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  expect((await load("of-bytes", { normalize: twice })).warnings.join()).toContain("without --normalize");
});

test("a .pt2 model that normalizes says so, and warns where it would be done twice", async () => {
  const found = "it normalizes its images itself (aten.sub, aten.div)";
  for (const name of ["layers", "decomposed"]) {
    const { notes, warnings } = await load(name);
    expect([notes.includes(found), warnings.includes(found)], name).toEqual([true, false]);
  }
  const normalize = { mean: [0.4, 0.4, 0.4], std: [0.25, 0.25, 0.25] };
  expect((await load("layers", { normalize })).warnings).toContain(
    `${found}: without --normalize it sees what it was trained on`,
  );
  expect((await load("plain", { normalize })).notes.join()).not.toContain("normalizes");
});

/** Normalization of a model out of a file. */
const found = async (model: Promise<FileModel>) => (await model).build({ seed: 0 }).graph!.normalization;

test("mean and deviation are found in .pt2 and ONNX files, as who made them wrote them", async () => {
  const operators = ["aten.sub", "aten.div"];
  // make_fixtures.py: register_buffer, of exports with and without a free batch, and of core ATen.
  const statistics = { mean: [0.48, 0.45, 0.4], std: [0.2, 0.25, 0.3] };
  for (const name of ["layers", "layers-static", "decomposed"])
    expect(await found(load(name)), name).toEqual({ operators, statistics });
  expect(await found(load("mnist"))).toEqual({ operators, statistics: { mean: [0.1307], std: [0.3081] } });
  expect(await found(load("plain"))).toBeUndefined();
  const third = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
  expect(await found(loadOnnx("layers-18"))).toEqual({ operators: ["Sub", "Div"], statistics: third });
  // Pixels of 0 to 255, less (123.7, 116.8, 103.9), by 58.
  const { mean, std } = (await found(loadOnnx("mean")))!.statistics!;
  for (const [c, level] of [123.7, 116.8, 103.9].entries()) {
    expect(mean[c]).toBeCloseTo(level / 255, 5);
    expect(std[c]).toBeCloseTo(58 / 255, 5);
  }
});

/** Graph of one node on images of three channels, or of the nodes that are given. */
function graphBy(run: (images: Tensor) => Tensor, more: Partial<Graph> = {}): Graph {
  const node: GraphNode = {
    name: "y",
    operator: "Sub",
    inputs: ["x"],
    outputs: ["y"],
    run: ([x]) => [run(x as Tensor)],
  };
  const form = { imageSizes: [3, 4, 4], imageType: "float32", batch: { least: 1, most: 9 } } as const;
  return { ...form, input: "x", output: "y", weights: [], nodes: [node], ...more };
}

/** Normalization that ends in the value `y` of a graph. */
function by(run: (images: Tensor) => Tensor, more: Partial<Graph> = {}) {
  return normalizationBy(graphBy(run, more), { operators: ["Sub"], output: "y" }, [3, 4, 4]);
}

test("constants are found in any order of channels and any layout, and none where there are none", () => {
  const channels = (values: readonly number[]) => tensor(Float32Array.from(values), [1, 3, 1, 1]);
  const statistics = { mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 2] };
  const normalized = (x: Tensor) => x.sub(channels(statistics.mean)).div(channels(statistics.std));
  expect(by(normalized)).toEqual(statistics);
  expect(by((x) => normalized(x).flip([1]))).toEqual(statistics);
  expect(by((x) => normalized(x).permute([0, 2, 3, 1]))).toEqual(statistics);
  expect(by((x) => normalized(x).flatten(1))).toEqual(statistics);
  expect(by((x) => x.mul(-2))).toEqual({ mean: [0, 0, 0], std: [-0.5, -0.5, -0.5] });
  // A curve, a mixture of channels, another factor at each pixel, and an image that is not read.
  expect(by((x) => x.mul(x))).toBeUndefined();
  expect(by((x) => x.sumDim([1]).unsqueeze(1))).toBeUndefined();
  expect(
    by((x) =>
      x.mul(
        tensor(
          Float32Array.from({ length: 16 }, (_, i) => 1 + i),
          [1, 1, 4, 4],
        ),
      ),
    ),
  ).toBeUndefined();
  expect(by((x) => x.mul(0))).toBeUndefined();
});

/** Cast of pixels to bytes, by which no gradient passes. */
const cast: GraphNode = {
  ...{ name: "bytes", operator: "aten.to", inputs: ["x"], outputs: ["b"], gradient: "blocks" },
  run: ([x]) => [(x as Tensor).to("uint8").to("float32")],
};

test("a part that blocks gradients is run as it is, and one that does not run refuses no model", () => {
  const mean = (x: Tensor) => x.sub(0.5);
  const [node] = graphBy(mean).nodes;
  const nodes = [cast, { ...node!, inputs: ["b"] }];
  // Bytes of 0 and 1 are no line of the pixels, of which a half is a zero.
  expect(by(mean, { nodes })).toBeUndefined();
  const sizes = [3, 8, 8] as const;
  const module = new GraphModule(graphBy(mean, { nodes, imageSizes: sizes }), { exactGradients: true });
  const pass = { training: false, noise: noiseOf(7) };
  const made = module.apply(tensor(new Float32Array(7 * 192).fill(1), [7, ...sizes]), pass);
  expect([made.shape, made.toNumbers().every((value) => value === 0.5)]).toEqual([[7, ...sizes], true]);
  expect(
    by(() => {
      throw new RangeError("it does not run");
    }),
  ).toBeUndefined();
});

test.each([
  ["float16", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 3],
  ["bfloat16", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1],
] as const)(
  "constants are found in graphs of %s, as far as it tells them",
  (imageType, mean, std, digits) => {
    const channels = (values: readonly number[]) =>
      tensor(Float32Array.from(values), [1, 3, 1, 1]).to(imageType);
    const found = by((x) => x.sub(channels(mean)).div(channels(std)), { imageType })!;
    for (let c = 0; c < 3; c++) {
      expect(found.mean[c]).toBeCloseTo(mean[c]!, digits);
      expect(found.std[c]).toBeCloseTo(std[c]!, digits);
    }
    expect(by((x) => x.mul(x), { imageType })).toBeUndefined();
  },
);

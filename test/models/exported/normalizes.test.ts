import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/engine/index.js";
import type { Graph, GraphNode } from "../../../src/models/exported/graph.js";
import { normalizationBy, normalizingPart } from "../../../src/models/exported/normalizes.js";
import type { FileModel } from "../../../src/models/index.js";
import { load } from "./fixtures.js";
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

/** Normalization that ends in the value `y` of a graph of one node on images of three channels. */
function by(run: (images: Tensor) => Tensor) {
  const node: GraphNode = {
    name: "y",
    operator: "Sub",
    inputs: ["x"],
    outputs: ["y"],
    run: ([x]) => [run(x as Tensor)],
  };
  const form = { imageSizes: [3, 4, 4], imageType: "float32", batch: { least: 1, most: 9 } } as const;
  const graph: Graph = { ...form, input: "x", output: "y", weights: [], nodes: [node] };
  return normalizationBy(graph, { operators: ["Sub"], output: "y" }, [3, 4, 4]);
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

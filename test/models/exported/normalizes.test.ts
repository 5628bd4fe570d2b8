import { expect, test } from "vitest";
import type { Graph, GraphNode } from "../../../src/models/exported/graph.js";
import { normalizingOperators } from "../../../src/models/exported/normalizes.js";
import { load } from "./fixtures.js";

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
  expect(normalizingOperators(graphOf(...lines))).toEqual(found);
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

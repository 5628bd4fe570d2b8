import { describe, expect, it } from "vitest";
import { givenSigns } from "../../../src/models/exported/given-signs.js";
import type { GraphNode } from "../../../src/models/exported/graph.js";

/** Graph of nodes that are written as `made = Operator(read, ...)`; every name but `c` is of the images. */
function signsOf(...lines: readonly string[]): string[] {
  const nodes = lines.map((line, i): GraphNode => {
    const [made, operator, read] = /^(\w+) = ([\w.]+)\((.*)\)$/.exec(line)!.slice(1) as [
      string,
      string,
      string,
    ];
    const values = { inputs: read.split(", "), outputs: [made] };
    return { name: `node${i}`, operator, ...values, run: () => [] };
  });
  const output = nodes.at(-1)!.outputs[0]!;
  const names = nodes
    .flatMap(({ inputs, outputs }) => [...inputs, ...outputs])
    .filter((name) => name !== "c");
  const graph = {
    input: "x",
    imageSizes: [3, 8, 8],
    imageType: "float32" as const,
    output,
    batch: { least: 1, most: 1 },
    weights: [],
    nodes,
  };
  return [...givenSigns(graph, new Set(names as string[]))].map(({ outputs }) => outputs[0]!);
}

describe("a sign is given back to a size of its value", () => {
  it.each([
    ["ONNX", "s = Sign(x)", "a = Abs(x)", "b = Add(a, c)", "r = Sqrt(b)", "y = Mul(s, r)"],
    ["ATen", "a = aten.abs(x)", "r = aten.pow(a, c)", "s = aten.sgn(x)", "y = aten.mul(r, s)"],
    ["sizes of sizes", "a = Abs(x)", "b = Mul(a, a)", "r = Add(a, b)", "s = Sign(x)", "y = Mul(s, r)"],
  ])("in %s", (_, ...lines) => {
    expect(signsOf(...lines)).toEqual(["s"]);
  });

  it.each([
    ["another value has the size", "z = Mul(x, c)", "a = Abs(z)", "s = Sign(x)", "y = Mul(s, a)"],
    ["the size is a mean", "a = Abs(x)", "r = ReduceMean(a)", "s = Sign(x)", "y = Mul(s, r)"],
    ["it is rounded", "a = Abs(x)", "r = Floor(a)", "s = Sign(x)", "y = Mul(s, r)"],
    ["another value is added to it", "a = Abs(x)", "r = Add(a, x)", "s = Sign(x)", "y = Mul(s, r)"],
    ["the sign is read elsewhere", "a = Abs(x)", "s = Sign(x)", "p = Mul(s, a)", "y = Add(p, s)"],
    ["the sign is an output", "a = Abs(x)", "p = Mul(s, a)", "s = Sign(x)"],
    ["it is added to the sign", "a = Abs(x)", "s = Sign(x)", "y = Add(s, a)"],
    ["it is written over", "a = aten.abs(x)", "a = aten.floor_(a)", "s = aten.sign(x)", "y = aten.mul(s, a)"],
  ])("but not where %s", (_, ...lines) => {
    expect(signsOf(...lines)).toEqual([]);
  });
});

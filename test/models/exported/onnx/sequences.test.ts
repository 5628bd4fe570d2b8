import { describe, expect, it } from "vitest";
import { noGrad, scope, type Tensor } from "../../../../src/engine/index.js";
import type { OnnxAttribute, OnnxNode, OnnxTensor } from "../../../../src/files/index.js";
import { elementsOf } from "../../../../src/files/onnx/index.js";
import { graphNodes } from "../../../../src/models/exported/onnx/nodes.js";
import { withoutSequences } from "../../../../src/models/exported/onnx/sequences.js";
import { intTensor, tensorOf } from "../../../../src/models/exported/onnx/values.js";
import { noiseOf } from "../fixtures.js";

const node = (
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): OnnxNode => ({
  name: output,
  operator,
  domain: "",
  inputs,
  outputs: [output],
  attributes: new Map(Object.entries(attributes)),
});

const int = (value: number): OnnxAttribute => ({ kind: "int", value });

const ints = (name: string, values: readonly bigint[], shape: readonly number[]): OnnxTensor => ({
  name,
  shape,
  type: 7,
  raw: new Uint8Array(BigInt64Array.from(values).buffer),
  strings: 0,
});

/** Part at a place of the sequence that a split makes of the numbers 0 to 11 as (2, 6). */
function partOf(
  place: number,
  sizes: OnnxTensor | undefined,
  attributes: Record<string, OnnxAttribute> = {},
) {
  const graph = {
    nodes: [
      node("SplitToSequence", ["x", ...(sizes === undefined ? [] : ["sizes"])], "s", {
        axis: int(1),
        ...attributes,
      }),
      node("Constant", [], "place", { value: { kind: "tensor", value: ints("p", [BigInt(place)], []) } }),
      node("SequenceAt", ["s", "place"], "y"),
    ],
    initializers: sizes === undefined ? [] : [sizes],
    inputs: [{ name: "x", type: 1, shape: [2, 6] }],
    outputs: [{ name: "y", type: 1, shape: undefined }],
  };
  const source = { irVersion: 8, producer: "", opsets: new Map([["", 17]]), graph, functions: [] };
  const elements = (tensor: OnnxTensor) => elementsOf(tensor, "model");
  const file = { model: source, elements, sha256: () => "", close() {} };
  const model = withoutSequences(file);
  const left = model.graph.nodes.map(({ operator }) => operator);
  if (left.some((operator) => operator.includes("Sequence"))) return left;
  const world = { opset: 17, mostElements: 2 ** 20, elements, typeOf: () => undefined };
  return scope(() =>
    noGrad(() => {
      const x = intTensor(Array.from({ length: 12 }, (_, i) => i)).reshape([2, 6]);
      const values = new Map<string, Tensor>([["x", x]]);
      if (sizes !== undefined) values.set("sizes", tensorOf(elements(sizes)));
      const context = { device: "cpu", noise: noiseOf(1), noiseFree: false, stream: 0 };
      for (const { node: step } of graphNodes(model, world)) {
        const made = step.run(
          step.inputs.map((name) => values.get(name)!),
          context,
        );
        for (const [k, name] of step.outputs.entries())
          if (name !== null) values.set(name, made[k] as Tensor);
      }
      const made = values.get("y")!;
      return { shape: made.shape, numbers: made.toNumbers() };
    }),
  );
}

describe("a part of a sequence that is split off a tensor", () => {
  // Expected values by the text of SplitToSequence and SequenceAt in ONNX's operators.
  it.each([
    ["pieces of one size", 1, ints("sizes", [4n], []), {}, [2, 2], [4, 5, 10, 11]],
    ["pieces of their own sizes", 1, ints("sizes", [1n, 2n, 3n], [3]), {}, [2, 2], [1, 2, 7, 8]],
    ["the last of them", -1, ints("sizes", [1n, 2n, 3n], [3]), {}, [2, 3], [3, 4, 5, 9, 10, 11]],
    ["single elements", -2, undefined, {}, [2, 1], [4, 10]],
    ["single elements without their axis", 3, undefined, { keepdims: int(0) }, [2], [3, 9]],
  ] as const)("is cut out of it: %s", (_, place, sizes, attributes, shape, numbers) => {
    expect(partOf(place, sizes, attributes)).toEqual({ shape: [...shape], numbers: [...numbers] });
  });

  it("stays a sequence, to be refused, where its place is not among the pieces", () => {
    expect(partOf(3, ints("sizes", [1n, 2n, 3n], [3]))).toContain("SequenceAt");
    expect(partOf(-1, ints("sizes", [4n], []))).toContain("SplitToSequence");
  });
});

describe("limits of 64 bits", () => {
  it("stay at their ends: the largest does not become the least", () => {
    const numbers = [...intTensor([2 ** 63, -(2 ** 63), 5]).toArray()];
    expect(numbers).toEqual([2n ** 63n - 1n, -(2n ** 63n), 5n]);
  });
});

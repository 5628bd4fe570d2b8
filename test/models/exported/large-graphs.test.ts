import { describe, expect, it } from "vitest";
import { namesOnce } from "../../../src/models/exported/names-once.js";
import { withFreeBatch } from "../../../src/models/exported/onnx/held.js";
import { onnxGraph } from "../../../src/models/exported/onnx/onnx-graph.js";
import { beforeArranging, makersOf } from "../../../src/models/exported/onnx/scores.js";
import { bytes, int, model } from "../../files/onnx/onnx-bytes.js";
import { processorSeconds } from "../../processor-seconds.js";

const many = 100_000;

describe("names", () => {
  it("occur once each, with the numbers that are free", () => {
    expect(namesOnce(["a", "b", "a", "a#2", "a", "a#2"], "#", 2)).toEqual([
      "a",
      "b",
      "a#2",
      "a#2#2",
      "a#3",
      "a#2#3",
    ]);
    expect(namesOnce(["x", "x", "x"], "_", 1)).toEqual(["x", "x_1", "x_2"]);
  });

  it("are given in time that grows with their number", () => {
    let once: string[] = [];
    expect(
      processorSeconds(() => (once = namesOnce(new Array<string>(many).fill("a"), "#", 2))),
    ).toBeLessThan(5);
    expect(new Set(once).size).toBe(many);
  });
});

describe("graphs of many nodes", () => {
  it("are followed from their end in time that grows with their number", () => {
    const nodes = Array.from({ length: many }, (_, i) => ({
      name: `n${i}`,
      operator: "Identity",
      inputs: [`v${i}`],
      outputs: [`v${i + 1}`],
      run: () => [],
    }));
    const scores = { name: `v${many}`, classes: 2, rank: 2 };
    const trial = { images: 1, shapes: new Map(), fixed: new Map(), outputs: new Map() };
    expect(processorSeconds(() => beforeArranging(scores, makersOf(nodes), trial))).toBeLessThan(5);
  });

  it("are freed of their batch in time that grows with their number", () => {
    const shape = { data: BigInt64Array.of(2n, 3n), shape: [2], type: "int64", stored: "int64" } as const;
    const constants = new Map(Array.from({ length: many }, (_, i) => [`s${i}`, shape as never]));
    const nodes = Array.from({ length: many }, (_, i) => ({
      name: "",
      operator: "Reshape",
      domain: "",
      inputs: ["x", `s${i}`],
      outputs: [`y${i}`],
      attributes: new Map(),
    }));
    const held = { model: { graph: { nodes } } as never, constants };
    let freed = new Map<string, { readonly data: ArrayLike<unknown> }>();
    expect(processorSeconds(() => (freed = withFreeBatch(held, 2)))).toBeLessThan(5);
    expect(Array.from(freed.get("s7")!.data)).toEqual([-1n, 3n]);
  });

  it("are refused where they have too many outputs", () => {
    const sides = [2, 3, 8, 8].flatMap((side) => bytes(1, int(1, side)));
    const value = (field: number, name: string) => {
      const type = bytes(1, [...int(1, 1), ...bytes(2, sides)]);
      return bytes(field, [...bytes(1, name), ...bytes(2, type)]);
    };
    const node = bytes(1, [...bytes(1, "x"), ...bytes(2, "y"), ...bytes(4, "Relu")]);
    const outputs = Array.from({ length: 1001 }, () => value(12, "y"));
    expect(() => onnxGraph(model(value(11, "x"), node, ...outputs))).toThrow(
      "it has 1001 outputs; at most 1000 are looked at",
    );
  });
});

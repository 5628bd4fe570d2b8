import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { encodeOnnx, type OnnxAttribute, type OnnxNode } from "../../../../src/files/index.js";
import { modelFromFile } from "../../../../src/models/index.js";
import { difference, passOf } from "../fixtures.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-onnx-scores-"));
afterAll(() => rmSync(folder, { recursive: true }));

const node = (
  operator: string,
  input: string,
  output: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
  ...more: string[]
): OnnxNode => ({
  name: output,
  operator,
  domain: "",
  inputs: [input, ...more],
  outputs: [output],
  attributes: new Map(Object.entries(attributes)),
});

const axis = (value: number): OnnxAttribute => ({ kind: "int", value });
const axes = (value: number): OnnxAttribute => ({ kind: "ints", value: [value] });
const bytes = (data: Float32Array | BigInt64Array) => new Uint8Array(data.buffer);

/** Writes a convolution, the mean of each channel as (N, 5, 1, 1), and what follows that. */
async function endingWith(name: string, ...nodes: OnnxNode[]) {
  const weights = Float32Array.from({ length: 5 * 3 }, (_, i) => Math.sin(1 + i));
  const whole = [node("Conv", "x", "c", {}, "w"), node("GlobalAveragePool", "c", "scores"), ...nodes];
  const graph = {
    nodes: whole,
    initializers: [
      { name: "w", shape: [5, 3, 1, 1], type: 1, raw: bytes(weights), strings: 0 },
      { name: "s", shape: [2], type: 7, raw: bytes(BigInt64Array.of(0n, 5n)), strings: 0 },
    ],
    inputs: [{ name: "x", type: 1, shape: ["n", 3, 8, 8] }],
    outputs: [{ name: whole.at(-1)!.outputs[0]!, type: 1, shape: undefined }],
  };
  const file = join(folder, `${name}.onnx`);
  const model = { irVersion: 8, producer: "test", opsets: new Map([["", 17]]), graph, functions: [] };
  writeFileSync(file, Buffer.concat(encodeOnnx(model, { name, doc: "", metadata: {} })));
  return modelFromFile(file);
}

describe("scores at the end of an ONNX graph", () => {
  it.each<[string, OnnxNode[]]>([
    ["a softmax", [node("Flatten", "scores", "f"), node("Softmax", "f", "y")]],
    ["a softmax with sides of 1", [node("Softmax", "scores", "y", { axis: axis(1) })]],
    ["its logarithm with sides of 1", [node("LogSoftmax", "scores", "y", { axis: axis(1) })]],
    [
      "a softmax that is reshaped",
      [node("Flatten", "scores", "f"), node("Softmax", "f", "p"), node("Reshape", "p", "y", {}, "s")],
    ],
    [
      "a softmax with sides of 1 that are taken away",
      [
        node("Softmax", "scores", "p", { axis: axis(1) }),
        node("Flatten", "p", "f"),
        node("Identity", "f", "y"),
      ],
    ],
  ])("are logits without %s", async (name, nodes) => {
    const model = await endingWith(name.replaceAll(" ", "-"), ...nodes);
    expect(model.notes.join()).toMatch(/its last operator, (Log)?Softmax, is taken off/);
    const plain = passOf(await endingWith("plain", node("Flatten", "scores", "y")));
    const found = passOf(model);
    expect(difference(found.logits, plain.logits)).toBe(0);
    expect(difference(found.gradient, plain.gradient)).toBeLessThan(1e-6);
  });

  it("stay as they are where a softmax is over something else", async () => {
    const model = await endingWith(
      "rows",
      node("Softmax", "c", "p", { axis: axis(3) }),
      node("GlobalAveragePool", "p", "m"),
      node("Flatten", "m", "y"),
    );
    expect(model.notes.join()).not.toContain("taken off");
    expect(passOf(model).logits.every((value) => Math.abs(value - 1 / 8) < 1e-6)).toBe(true);
  });

  it("name the way out where there is one for two classes", async () => {
    const one = endingWith(
      "one",
      node("Flatten", "scores", "f"),
      node("ReduceMean", "f", "y", { axes: axes(1) }),
    );
    await expect(one).rejects.toThrow(/scores of classes.*a single score is of two classes.*torch\.cat/);
  });

  it("that change with other images are asked for one image at a time, and a note says why", async () => {
    const { notes } = await endingWith(
      "beside",
      node("Flatten", "scores", "f"),
      node("ReduceMean", "f", "m", { axes: axes(0) }),
      node("Mul", "f", "y", {}, "m"),
    );
    expect(notes).toContain(
      "the model takes exactly 1 image at a time, since more fail or change an image's logits",
    );
  });
});

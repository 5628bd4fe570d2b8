import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { encodeOnnx, type OnnxNode } from "../../../../src/files/index.js";
import { modelFromFile } from "../../../../src/models/index.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-onnx-range-"));
afterAll(() => rmSync(folder, { recursive: true }));

const node = (operator: string, inputs: readonly string[], output: string): OnnxNode => ({
  name: output,
  operator,
  domain: "",
  inputs,
  outputs: [output],
  attributes: new Map(),
});

/** Model whose first step is an operator with three numbers, one for each channel. */
async function beginningWith(operator: string, numbers: readonly number[]) {
  const floats = (name: string, shape: readonly number[], values: readonly number[]) => {
    return { name, shape, type: 1, raw: new Uint8Array(Float32Array.from(values).buffer), strings: 0 };
  };
  const graph = {
    nodes: [
      node(operator, ["x", "s"], "m"),
      node("Add", ["m", "b"], "a"),
      node("Conv", ["a", "w"], "c"),
      node("GlobalAveragePool", ["c"], "p"),
      node("Flatten", ["p"], "y"),
    ],
    initializers: [
      floats("s", [3, 1, 1], numbers),
      floats("b", [3, 1, 1], [-2.1, -2, -1.8]),
      floats("w", [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]),
    ],
    inputs: [{ name: "x", type: 1, shape: ["n", 3, 4, 4] }],
    outputs: [{ name: "y", type: 1, shape: undefined }],
  };
  const file = join(folder, `${operator}-${numbers[0]}.onnx`);
  const model = { irVersion: 8, producer: "test", opsets: new Map([["", 17]]), graph, functions: [] };
  writeFileSync(file, Buffer.concat(encodeOnnx(model, { name: "range", doc: "", metadata: {} })));
  return (await modelFromFile(file)).notes.join();
}

const deviations = [0.229, 0.224, 0.225];

it.each([
  ["Mul", deviations.map((one) => 1 / (255 * one))],
  ["Div", deviations.map((one) => 255 * one)],
  ["Mul", [1 / 255, 1 / 255, 1 / 255]],
] as const)("a first %s by %j is of pixels from 0 to 255", async (operator, numbers) => {
  expect(await beginningWith(operator, numbers)).toContain("made for pixels of 0 to 255: they are times 255");
});

it.each([
  ["Mul", deviations.map((one) => 1 / one)],
  ["Div", deviations],
  ["Mul", [2, 2, 2]],
] as const)("a first %s by %j is of pixels from 0 to 1", async (operator, numbers) => {
  expect(await beginningWith(operator, numbers)).not.toContain("made for pixels");
});

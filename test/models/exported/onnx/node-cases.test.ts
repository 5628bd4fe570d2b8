import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCase } from "./node-cases.js";

/** Packed cases of a few calls of each operator. */
function casesOf(file: string) {
  const { cases } = JSON.parse(readFileSync(new URL(`../../../golden/${file}`, import.meta.url), "utf8")) as {
    cases: Record<string, { model: string; inputs: string[]; outputs: string[] }>;
  };
  return Object.entries(cases);
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

describe.each([
  ["ONNX", "the onnx package's tests expect", "onnx-node-cases.json"],
  ["com.microsoft", "ONNX Runtime gives", "onnx-microsoft-cases.json"],
])("operators of %s give what %s", (_domain, _reference, file) => {
  it.each(casesOf(file))("%s", (name, { model, inputs, outputs }) => {
    const result = runCase({
      name,
      model: bytes(model),
      inputs: inputs.map(bytes),
      outputs: outputs.map(bytes),
    });
    expect(result).toEqual({ kind: "passed" });
  });
});

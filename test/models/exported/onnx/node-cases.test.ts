import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCase } from "./node-cases.js";

/** Cases that `test/golden/onnx_node_tests.py --pack` wrote, each a few of an operator's. */
const { cases } = JSON.parse(
  readFileSync(new URL("../../../golden/onnx-node-cases.json", import.meta.url), "utf8"),
) as {
  cases: Record<string, { model: string; inputs: string[]; outputs: string[] }>;
};

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

describe("operators of ONNX give what the onnx package's tests expect", () => {
  it.each(Object.entries(cases))("%s", (name, { model, inputs, outputs }) => {
    const result = runCase({
      name,
      model: bytes(model),
      inputs: inputs.map(bytes),
      outputs: outputs.map(bytes),
    });
    expect(result).toEqual({ kind: "passed" });
  });
});

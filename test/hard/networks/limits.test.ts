import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { faultsOf, type NetworkRow } from "./limits.js";

const file = new URL("../../../results/exported-networks.json", import.meta.url);
const { rows } = JSON.parse(readFileSync(file, "utf8")) as { readonly rows: readonly NetworkRow[] };
const row = rows.find(({ network }) => network === "mobilenet_v3_small")!;

test("the networks of results/exported-networks.json are within the limits", () => {
  expect(rows.length).toBeGreaterThan(15);
  expect(rows.flatMap(faultsOf)).toEqual([]);
});

test.each<[string, Partial<NetworkRow>, string]>([
  ["a .pt2 file's logits", { static: { logits: 2e-5, gradient: 0 } }, "static: logits differ by 2.0e-5"],
  [
    "its gradient",
    { free: { logits: 0, gradient: Number.POSITIVE_INFINITY } },
    "free: gradient differ by Infinity",
  ],
  ["ONNX's logits", { onnx: { logits: 2e-4, gradient: 0 } }, "onnx: logits differ by 2.0e-4"],
  ["a refused file", { refused: "node Add: no" }, "mobilenet_v3_small: node Add: no"],
])("a difference is told of %s", (_, changed, said) => {
  expect(faultsOf({ ...row, ...changed })).toEqual([expect.stringContaining(said)]);
});

test("a gradient of ONNX may differ where the same sides show that it jumps, and only there", () => {
  const jumps = { ...row, onnx: { logits: 0, gradient: 0.01 }, onnxExact: { logits: 0, gradient: 0.01 } };
  expect(faultsOf(jumps)).toEqual([]);
  const { onnxSameSides: _, ...unknown } = jumps;
  expect(faultsOf(unknown)).toEqual([expect.stringContaining("onnx: gradient differ by 1.0e-2")]);
  expect(faultsOf({ ...jumps, onnxSameSides: { logits: 0, gradient: 0.01 } })).toHaveLength(1);
});

test.each(["static", "free", "onnx"] as const)("a network without its file %s is told", (form) => {
  const { [form]: _, ...without } = row;
  expect(faultsOf(without)).toEqual([`mobilenet_v3_small: ${form}: no file was compared`]);
});

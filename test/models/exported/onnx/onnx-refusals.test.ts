import { describe, expect, it } from "vitest";
import { onnxGraph } from "../../../../src/models/exported/onnx/onnx-graph.js";
import { bytes, int, model, tensor } from "../../../files/onnx/onnx-bytes.js";
import { loadOnnx, onnxFile } from "./fixtures.js";

describe("what an ONNX file may not have is refused, with the way out", () => {
  it.each([
    ["unknown", /not known here: NonZero, com\.microsoft\.EPContext; export it anew \(torch\.onnx\.export/],
    ["attribute", /node Relu: its attribute slope is not known here/],
    [
      "opset-12",
      /it uses operator set 12; 13 to 21 are read: convert it .*convert_version.*, or export it anew/,
    ],
    ["opset-22", /it uses operator set 22; 13 to 21 are read: export it anew/],
  ])("%s", async (name, message) => {
    await expect(loadOnnx(name)).rejects.toThrow(message);
    await expect(loadOnnx(name)).rejects.toThrow(onnxFile(name));
  });

  it("layouts of a processor, which ONNX Runtime writes at its highest level", () => {
    const node = bytes(1, [...bytes(1, "x"), ...bytes(2, "y"), ...bytes(4, "ReorderInput")]);
    const nchwc = [...node.slice(2), ...bytes(7, "com.microsoft.nchwc")];
    expect(() => onnxGraph(model(bytes(1, nchwc)))).toThrow(
      /com\.microsoft\.nchwc\.ReorderInput; .*ORT_ENABLE_EXTENDED/,
    );
  });

  it.each([
    ["int4", 22],
    ["uint4", 21],
    ["float8e5m2", 19],
  ])("images in %s", (name, code) => {
    const sides = [2, 3, 8, 8].flatMap((side) => bytes(1, int(1, side)));
    const type = bytes(1, [...int(1, code), ...bytes(2, sides)]);
    const input = bytes(11, [...bytes(1, "x"), ...bytes(2, type)]);
    const node = bytes(1, [...bytes(1, "x"), ...bytes(2, "y"), ...bytes(4, "Relu")]);
    const weights = tensor("w", 1, [0]);
    expect(() => onnxGraph(model(input, node, weights))).toThrow(`its input "x" holds ${name}`);
  });
});

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type FileModel, type ModelFromFileOptions, modelFromFile } from "../../../../src/models/index.js";

/** Path of a model that test/fixtures/onnx/make_fixtures.py wrote. */
export const onnxFile = (name: string) =>
  fileURLToPath(new URL(`../../../fixtures/onnx/${name}.onnx`, import.meta.url));

export const loadOnnx = (name: string, options?: ModelFromFileOptions): Promise<FileModel> =>
  modelFromFile(onnxFile(name), options);

/** Numbers that PyTorch or ONNX Runtime gave, by the model. */
export const expectedOnnx = JSON.parse(
  readFileSync(new URL("../../../fixtures/onnx/expected.json", import.meta.url), "utf8"),
) as Readonly<Record<string, { readonly logits: string; readonly gradient: string }>>;

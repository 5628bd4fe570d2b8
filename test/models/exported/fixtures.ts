import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { grad, imageIdRange, type Noise, scope, type Tensor, tensor } from "../../../src/engine/index.js";
import { type FileModel, type ModelFromFileOptions, modelFromFile } from "../../../src/models/index.js";
import { crossEntropy } from "../../../src/nn/index.js";

/** Folder of fixtures; SQA_EXPORTED_FIXTURES names those of another PyTorch, which are too many to keep. */
const folder =
  process.env.SQA_EXPORTED_FIXTURES ?? fileURLToPath(new URL("../../fixtures/exported", import.meta.url));

/** Path of an exported model that test/fixtures/exported/make_fixtures.py wrote. */
export const fixture = (name: string) => join(folder, `${name}.pt2`);

export const load = (name: string, options?: ModelFromFileOptions): Promise<FileModel> =>
  modelFromFile(fixture(name), options);

/** Numbers that PyTorch gave, by the fixture. */
export const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>;

/** Numbers that make_fixtures.py wrote as text. */
export function numbers(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The images of make_fixtures.py. */
export function images(count: number, shape: readonly number[] = [3, 8, 8]): Tensor {
  const size = shape.reduce((product, side) => product * side, count);
  const pixels = Float32Array.from({ length: size }, (_, i) => Math.fround(((i * 37) % 101) / 100));
  return tensor(pixels, [count, ...shape]);
}

export function noiseOf(count: number, { draw = 0, first = 0 } = {}): Noise {
  return { seed: { low: 7, high: 9 }, draw, imageIds: imageIdRange(first, count) };
}

/** Logits of images, and the gradient of their summed cross-entropy; labels are 0, 1, 2, ... and anew. */
export function passOf(model: FileModel, count = 3, noise = noiseOf(count)) {
  const built = model.build({ seed: 0 });
  const labels = Array.from({ length: count }, (_, i) => i % model.classes);
  const result = scope(() => {
    const seen = images(count, model.inputShape).requireGrad();
    const logits = built.classifier().logits(seen, noise);
    const loss = crossEntropy(logits, tensor(labels, [count], "int64")).sum();
    const [gradient] = grad(loss, [seen]);
    return { logits: logits.toArray() as Float32Array, gradient: gradient!.toArray() as Float32Array };
  });
  built.module.dispose();
  return result;
}

/** Largest difference, as a share of the largest number. */
export function difference(given: Float32Array, wanted: Float32Array): number {
  if (given.length !== wanted.length) return Number.POSITIVE_INFINITY;
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const most = given.reduce((found, value, i) => Math.max(found, Math.abs(value - wanted[i]!)), 0);
  return largest === 0 ? most : most / largest;
}

import { expect, test } from "vitest";
import { fgsm, pgd } from "../../src/attacks/index.js";
import { imageIdRange, type Tensor, tensor } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { checkLogits } from "../../src/nn/index.js";

const model = small().build({ seed: 0 }).classifier();
const images = tensor(new Float32Array(2 * 784).fill(0.5), [2, 1, 28, 28]);
const labels = tensor([1, 2], [2], "int64");
const context = { seed: 0, imageIds: imageIdRange(0, 2) };

test.each<[string, unknown[], string]>([
  ["no tensor for images", [[0.5], labels, context], "images must be a tensor, not 0.5"],
  [
    "bytes",
    [images.to("uint8"), labels, context],
    "images must be float32 in [0, 1], not uint8: divide bytes by 255",
  ],
  [
    "another shape",
    [images.flatten(1), labels, context],
    "images must have shape [N, 1, 28, 28], not [2, 784]",
  ],
  ["gray levels", [images.mul(255), labels, context], "pixels must lie in [0, 1], found 127.5 .. 127.5"],
  ["no labels", [images, undefined, context], "labels must be a tensor, not undefined"],
  ["labels of another kind", [images, labels.to("int32"), context], "labels must be int64, not int32"],
  [
    "too few labels",
    [images, labels.slice(0, 0, 1), context],
    "labels must have shape [2], as many as images, not [1]",
  ],
  [
    "a label beyond the classes",
    [images, labels.add(8), context],
    "labels must lie in 0 .. 9, found 9 .. 10",
  ],
  ["a number for the context", [images, labels, 1], "context must be an object such as { seed: 1 }, not 1"],
  ["a seed of another kind", [images, labels, { seed: -1 }], "seed must be an integer from 0 to"],
  ["numbers for ids", [images, labels, { imageIds: [0, 1] }], "context.imageIds must be a tensor, such as"],
  [
    "ids of other images",
    [images, labels, { seed: 0, imageIds: imageIdRange(0, 3) }],
    "context.imageIds must have shape [2], not [3]",
  ],
])("an attack refuses %s", (_, given, message) => {
  const attack = fgsm({ epsilon: 0.1 }) as (...args: unknown[]) => Tensor;
  expect(() => attack(model, ...given)).toThrow(message);
});

test("an attack without a context has seed 0, and counts its images from 0", () => {
  const attack = pgd({ epsilon: 0.1, steps: 2 });
  const wanted = attack(model, images, labels, context).toNumbers();
  expect(attack(model, images, labels).toNumbers()).toEqual(wanted);
  expect(attack(model, images, labels, { seed: 1 }).toNumbers()).not.toEqual(wanted);
});

test.each<[string, unknown, string]>([
  ["nothing", undefined, "the logits of the classifier must be a tensor of shape [2, 10], not undefined"],
  ["numbers", [1, 2], "the logits of the classifier must be a tensor of shape [2, 10], not [1, 2]"],
  [
    "a Promise",
    Promise.resolve(1),
    "the logits of the classifier must be a tensor of shape [2, 10], not a Promise: it must not be async",
  ],
  [
    "predictions",
    tensor(new BigInt64Array(20), [2, 10]),
    "must be float32, not int64: give scores, no classes",
  ],
  ["too few classes", tensor(new Float32Array(18), [2, 9]), "must have shape [2, 10], not [2, 9]"],
])("a classifier's answer of %s is refused in its own words", (_, logits, message) => {
  expect(() => checkLogits({ classes: 10 }, images, logits)).toThrow(message);
});

test.each(["float32", "float64", "float16", "bfloat16"] as const)(
  "a classifier's answer of %s is returned",
  (type) => {
    const logits = tensor(new Float32Array(20), [2, 10]).to(type);
    expect(checkLogits({ classes: 10 }, images, logits)).toBe(logits);
  },
);

import { expect, test } from "vitest";
import { countedUniform } from "../../src/base/philox.js";
import { augmentations } from "../../src/datasets/index.js";
import { imageIdRange, setThreads, type Tensor, tensor, threads } from "../../src/engine/index.js";

const seed = { low: 5, high: 9 };
const [count, channels, size] = [40, 2, 6];
const pixels = Float32Array.from(
  { length: count * channels * size * size },
  (_, i) => ((i * 37) % 251) / 255,
);
const images = tensor(pixels, [count, channels, size, size]);
const cropFlip = (text: string) => augmentations.parse(text).augment!;
const noise = (draw: number, first = 0, length = count) => ({
  seed,
  draw,
  imageIds: imageIdRange(first, length),
});
const rows = (tensor: Tensor, from: number, length: number) =>
  [...tensor.toArray()].slice(from * 72, (from + length) * 72);

/** The definition, in plain numbers: pad, crop at (dy, dx), mirror. */
function reference(padding: number, flip: boolean, draw: number): number[] {
  const made: number[] = [];
  for (let image = 0; image < count; image++) {
    const uniform = (element: number) => countedUniform(seed, { stream: 0, draw, image }, element);
    const shift = (element: number) =>
      Math.floor(Math.fround(uniform(element)) * (2 * padding + 1)) - padding;
    const [dy, dx, mirrored] = [shift(0), shift(1), flip && uniform(2) < 0.5];
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const [row, column] = [y + dy, (mirrored ? size - 1 - x : x) + dx];
          const inside = row >= 0 && row < size && column >= 0 && column < size;
          made.push(inside ? pixels[((image * channels + channel) * size + row) * size + column]! : 0);
        }
      }
    }
  }
  return made;
}

test.each([
  ["crop-flip(padding=2)", 2, true],
  ["crop-flip", 4, true],
  ["crop-flip(padding=1, flip=false)", 1, false],
  ["crop-flip(padding=0)", 0, true],
] as const)("%s crops out of the padded image and mirrors, by counted noise", (text, padding, flip) => {
  expect([...cropFlip(text)(images, noise(3)).toArray()]).toEqual(reference(padding, flip, 3));
});

test("an image is varied alike in any batch and by any number of threads, and otherwise in another draw", () => {
  const augment = cropFlip("crop-flip(padding=2)");
  const whole = augment(images, noise(1));
  expect(rows(augment(images.slice(0, 10, 25), noise(1, 10, 15)), 0, 15)).toEqual(rows(whole, 10, 15));
  const before = threads();
  setThreads(before === 1 ? 2 : 1);
  expect(rows(augment(images, noise(1)), 0, count)).toEqual(rows(whole, 0, count));
  setThreads(before);
  expect(rows(augment(images, noise(2)), 0, count)).not.toEqual(rows(whole, 0, count));
});

test("none leaves images as they are; unknown ones are refused", () => {
  expect(augmentations.parse("none").augment).toBeUndefined();
  expect(() => augmentations.parse("crop")).toThrow('unknown augmentation "crop"');
  expect(() => augmentations.parse("crop-flip(padding=-1)")).toThrow('option "padding" cannot be -1');
});

import { expect, it } from "vitest";
import { imagesOf, TensorSplit } from "../../src/datasets/index.js";

const dots = imagesOf({
  name: "dots",
  shape: [1, 2, 2],
  classes: ["dark", "light"],
  images: new Uint8Array(12),
  labels: Uint8Array.of(0, 1, 0),
});
const held = new TensorSplit(dots.all);

it("a range ends with the last image", () => {
  expect(held.range(1, 100).imageIds.toNumbers()).toEqual([1, 2]);
  expect(held.range(3, 1).images.shape).toEqual([0, 1, 2, 2]);
});

it.each<[unknown, unknown, string]>([
  [-1, 3, "first must be a whole number in [0, 3], not -1"],
  [4, 3, "first must be a whole number in [0, 3], not 4"],
  [Number.NaN, 3, "first must be a whole number in [0, 3], not NaN"],
  ["0", 3, 'first must be a whole number in [0, 3], not "0"'],
  [0, 1.5, "count must be a whole number >= 0, not 1.5"],
  [0, -1, "count must be a whole number >= 0, not -1"],
])("the range %o, %o is refused", (first, count, message) => {
  expect(() => held.range(first as number, count as number)).toThrow(message);
});

it("positions beyond the images are refused", () => {
  expect(() => held.batch(Int32Array.of(0, 3))).toThrow("positions must lie in [0, 2], not 3");
  expect(() => held.batch(Int32Array.of(-1))).toThrow("positions must lie in [0, 2], not -1");
});

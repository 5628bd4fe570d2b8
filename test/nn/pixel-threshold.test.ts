import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { grad, imageIdRange, tensor } from "../../src/engine/index.js";
import { PixelThreshold } from "../../src/nn/index.js";

const pass = {
  training: false,
  noise: { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 1) },
};

test("is 0 up to the low end, 1 from the high end on, a line between, and its gradient the line's everywhere", () => {
  const pixels = tensor([0, 0.25, 0.375, 0.5, 0.75, 1], [1, 1, 2, 3]).requireGrad();
  const output = new PixelThreshold(0.25, 0.75).apply(pixels, pass);
  expect(output.toNumbers()).toEqual([0, 0, 0.25, 0.5, 1, 1]);
  expect(grad(output.sum(), [pixels])[0]!.toNumbers()).toEqual([2, 2, 2, 2, 2, 2]);
});

test.each([
  [0.6, 0.4],
  [0.5, 0.5],
  [-0.1, 0.5],
  [0.5, 1.1],
  [Number.NaN, 0.5],
])("refuses %s to %s", (low, high) => {
  expect(() => new PixelThreshold(low, high)).toThrow(`not low ${low}, high ${high}`);
});

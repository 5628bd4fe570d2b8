import { expect, it } from "vitest";
import { keptImages } from "../../../src/evaluation/audit/worst-images.js";

it("a report keeps the pixels of as many images as one write of Node takes", () => {
  expect(keptImages([3, 224, 224])).toBe(1776);
  expect(keptImages([1, 28, 28])).toBeGreaterThan(60_000);
  for (const shape of [
    [3, 224, 224],
    [3, 1024, 1024],
    [1, 28, 28],
    [3, 32, 32],
  ] as const) {
    const [channels, height, width] = shape;
    const bytes = 2 * 4 * keptImages(shape) * channels * height * width;
    // Two forms in float32, with room for labels and the header.
    expect(bytes).toBeLessThan(2 ** 31 - 2 ** 22);
  }
});

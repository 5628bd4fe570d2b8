import { expect, test } from "vitest";
import { imagesPerSecond } from "../../src/cli/commands/evaluate/evaluation-text.js";

test.each([
  [1000, 3, 333],
  [10_000, 0.7, 14_300],
  [100, 1736.9, 0.0576],
])("%d images in %d seconds are %d a second", (images, seconds, rate) => {
  expect(imagesPerSecond(images, seconds)).toBe(rate);
});

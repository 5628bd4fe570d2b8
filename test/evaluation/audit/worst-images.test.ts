import { expect, it } from "vitest";
import { keptImages, mostHarmful } from "../../../src/evaluation/audit/worst-images.js";
import { Answers, clean, type TrialResult } from "../../../src/trials/index.js";

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

it("the most harmful trial of each of many images is found in a moment", () => {
  const count = 50_000;
  const results = Array.from({ length: 3 }, (_, i): TrialResult => {
    const answers = new Answers(count, 3);
    for (let image = 0; image < count; image++) {
      answers.halves[0][image] = image % 3 === i ? 0 : 1;
      answers.halves[1][image] = i === 2 ? 1 : 0;
    }
    const norm = "linf";
    return {
      trial: clean,
      answers,
      lengths: [],
      norm,
      passes: { forward: 0, backward: 0 },
      seconds: 0,
      stops: [],
    };
  });
  const began = performance.now();
  const harmful = mostHarmful(results, count);
  expect(performance.now() - began).toBeLessThan(5000);
  // Of the trials that tie the first.
  expect(harmful.slice(0, 4).map((result) => results.indexOf(result))).toEqual([0, 1, 0, 0]);
});

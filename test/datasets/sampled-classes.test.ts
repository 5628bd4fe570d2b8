import { describe, expect, test } from "vitest";
import { permutation } from "../../src/base/index.js";
import { fewClasses, type Split } from "../../src/datasets/index.js";

/** Split of `classes` times `each` images, in their classes' order or in that of a seed. */
function splitOf(classes: number, each: number, seed?: number): Split {
  const count = classes * each;
  const sorted = Int32Array.from({ length: count }, (_, i) => Math.floor(i / each));
  const labels = seed === undefined ? sorted : permutation(count, seed).map((place) => sorted[place]!);
  const classNames = Array.from({ length: classes }, (_, label) => String(label));
  return { name: "test", imageShape: [1, 1, 1], classNames, images: new Uint8Array(count), labels, count };
}

describe("classes among the first images", () => {
  test.each([
    [splitOf(10, 100), 120, { found: 2, all: 10 }],
    [splitOf(2, 500), 200, { found: 1, all: 2 }],
    [splitOf(1000, 50), 120, { found: 3, all: 1000 }],
    [splitOf(10, 100), 400, { found: 4, all: 10 }],
  ])("are few where images lie by class", (split, limit, expected) => {
    expect(fewClasses(split, limit)).toEqual(expected);
  });

  test("are about as many as chance brings in any other order, of whatever size", () => {
    for (const [classes, each] of [
      [2, 500],
      [10, 100],
      [100, 20],
      [1000, 5],
    ] as const) {
      for (let seed = 0; seed < 20; seed++)
        for (const limit of [1, 2, 3, 10, 50, 120, classes * each])
          expect([classes, limit, fewClasses(splitOf(classes, each, seed), limit)]).toEqual([
            classes,
            limit,
            undefined,
          ]);
    }
  });

  test("are all where all images are taken, and may be many of a sorted split", () => {
    expect(fewClasses(splitOf(10, 100), 1000)).toBeUndefined();
    expect(fewClasses(splitOf(10, 100), 900)).toBeUndefined();
  });
});

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { permutation } from "../../src/base/index.js";
import { drawnFrom, liesByClass, type Split, setApart, subset } from "../../src/datasets/index.js";
import { addArray } from "../../src/datasets/split.js";

const split: Split = {
  name: "ten",
  imageShape: [1, 2, 2],
  classNames: Array.from({ length: 10 }, (_, label) => String(label)),
  images: Uint8Array.from({ length: 40 }, (_, index) => index),
  labels: Uint8Array.from({ length: 10 }, (_, index) => index),
  count: 10,
};

describe("subset", () => {
  test("is the first images and labels, not copied", () => {
    const first = subset(split, 3);
    expect(first.count).toBe(3);
    expect([...first.labels]).toEqual([0, 1, 2]);
    expect([...first.images]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(first.images.buffer).toBe(split.images.buffer);
    expect(subset(split, 10)).toEqual(split);
  });

  test.each([0, -1, 11, 2.5, Number.NaN])("refuses a limit of %s", (limit) => {
    expect(() => subset(split, limit)).toThrow(
      new RangeError(`limit must be an integer in [1, 10], not ${limit}`),
    );
  });

  test("refuses a limit that is no number", () => {
    expect(() => subset(split, "3" as unknown as number)).toThrow(
      new TypeError("limit must be a number, not string"),
    );
  });
});

describe("setApart", () => {
  const images = { images: new Uint8Array(5000), labels: new Uint8Array(5000), count: 5000 };
  const large: Split = { ...split, ...images, imageShape: [1, 1, 1] };

  test("parts the indices in two, each in order", () => {
    const { train, heldOut } = setApart(large, 1000, 1);
    expect(heldOut).toHaveLength(1000);
    expect(train).toEqual(train.slice().sort());
    expect(heldOut).toEqual(heldOut.slice().sort());
    expect(Int32Array.from([...train, ...heldOut]).sort()).toEqual(Int32Array.from(large.labels.keys()));
  });

  test("depends on the seed alone, and takes from everywhere", () => {
    expect(setApart(large, 1000, 1)).toEqual(setApart(large, 1000, { low: 1, high: 0 }));
    const { heldOut } = setApart(large, 1000, 2);
    expect(heldOut).not.toEqual(setApart(large, 1000, 1).heldOut);
    const mean = heldOut.reduce((sum, index) => sum + index, 0) / heldOut.length;
    // Standard error of the mean of 1000 of 5000 indices drawn without replacement: 41; six of them.
    expect(Math.abs(mean - 2499.5)).toBeLessThan(246);
  });

  test("can hold out nothing, but not everything", () => {
    expect(setApart(split, 0, 1).train).toEqual(Int32Array.from(split.labels.keys()));
    expect(() => setApart(split, 10, 1)).toThrow(
      new RangeError("count must be an integer in [0, 9], not 10"),
    );
    expect(() => setApart(split, 1, -1)).toThrow("seed must be an integer from 0");
  });
});

describe("drawnFrom", () => {
  const positions = Int32Array.from({ length: 5000 }, (_, i) => 2 * i);

  test("draws from everywhere, by the seed alone, none twice", () => {
    const drawn = drawnFrom(positions, 1000, 1);
    expect(drawn).toEqual(drawnFrom(positions, 1000, { low: 1, high: 0 }));
    expect(drawn).not.toEqual(drawnFrom(positions, 1000, 2));
    expect(new Set(drawn).size).toBe(1000);
    expect(drawn.every((position) => positions.includes(position))).toBe(true);
    const mean = drawn.reduce((sum, position) => sum + position, 0) / 1000;
    // Standard error of the mean of 1000 of 5000 positions drawn without replacement: 82; six of them.
    expect(Math.abs(mean - 4999)).toBeLessThan(492);
  });

  test("leaves all of them as they are where no more are there", () => {
    expect(drawnFrom(positions, 5000, 1)).toBe(positions);
    expect(drawnFrom(positions, 9000, 1)).toBe(positions);
  });
});

describe("liesByClass", () => {
  const lies = (labels: number[]) =>
    liesByClass(
      { ...split, labels: Int32Array.from(labels), count: labels.length },
      Int32Array.from(labels.keys()),
    );
  const sorted = Array.from({ length: 1000 }, (_, i) => Math.floor(i / 100));
  const shuffled = Array.from(permutation(1000, 1), (i) => sorted[i]!);

  test("tells images in the order of their classes from shuffled ones", () => {
    expect(lies(sorted)).toBe(true);
    expect(lies([...sorted].reverse())).toBe(true);
    expect(lies(shuffled)).toBe(false);
    expect(lies([0, 0, 0, 1, 1, 1])).toBe(true);
    expect(lies([0, 1, 0, 1, 0, 1])).toBe(false);
  });

  test("is not deceived by a class that nearly all images have", () => {
    const rare = Array.from({ length: 1000 }, (_, i) => Number(i < 50));
    expect(lies(rare)).toBe(true);
    expect(lies(Array.from(permutation(1000, 1), (i) => rare[i]!))).toBe(false);
  });

  test("takes a single class, or a single image, for shuffled", () => {
    expect([lies([3, 3, 3]), lies([3]), lies([])]).toEqual([false, false, false]);
  });
});

test("arrays of more than 2 GiB are hashed in parts that a hash takes", () => {
  // Memory that nobody writes to takes none.
  const array = new Float32Array(2 ** 29 + 2);
  const parts: number[] = [];
  const digest = {
    update(part: string | Uint8Array) {
      parts.push(part.length);
      return digest;
    },
  };
  addArray(digest, array.subarray(1));
  expect(parts).toEqual([2 ** 30, 2 ** 30, 4]);
  const [all, hashed] = [Uint8Array.of(1, 2, 3, 4), createHash("sha256")];
  addArray(hashed, all.subarray(1, 3));
  expect(hashed.digest("hex")).toBe(createHash("sha256").update(all.subarray(1, 3)).digest("hex"));
});

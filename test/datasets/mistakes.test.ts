import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineAugmentation, defineDataset } from "../../src/datasets/index.js";

const options = z.strictObject({});
const read = () => ({ images: new Uint8Array(12), labels: Uint8Array.of(0, 1, 0), count: 3 });
const whole = {
  summary: "mine",
  options,
  imageShape: [1, 2, 2],
  classNames: ["cat", "dog"],
  locate: () => ".",
  read,
};

/** Data set of a definition with a mistake in it. */
const datasetWith = (mistake: object) => defineDataset("mine", { ...whole, ...mistake } as never)();

describe("mistakes of a data set's writer are named", () => {
  test.each<[string, object, string]>([
    ["no shape", { imageShape: undefined }, "imageShape must be [channels, height, width], not undefined"],
    ["two sides", { imageShape: [2, 2] }, "imageShape must be [channels, height, width], not [2, 2]"],
    ["a side of 0", { imageShape: [1, 0, 2] }, "imageShape must be whole numbers >= 1, not 0"],
    ["no classes", { classNames: undefined }, "classNames must be a list of class names, not undefined"],
    ["numbers as classes", { classNames: [0, 1] }, "classNames must be a list of class names, not [0, 1]"],
    ["one class", { classNames: ["cat"] }, "classNames must name two classes or more, given 1"],
    [
      "a class twice",
      { classNames: ["cat", "cat"] },
      'classNames must have names of their own, given "cat" twice',
    ],
    ["no locate", { locate: undefined }, "locate must be a function, not undefined"],
    ["no read", { read: undefined }, "read must be a function, not undefined"],
    ["epsilon as text", { epsilon: "0.1" }, 'epsilon must be a number in [0, 1], not "0.1"'],
    [
      "statistics of other images",
      { statistics: { mean: [0.1, 0.2], std: [1] } },
      "statistics must be { mean, std } with a number for each channel (1), std above 0, not an object",
    ],
    ["an open that is none", { open: 5 }, "open must be a function, not 5"],
  ])("%s", (_, mistake, message) => {
    expect(() => datasetWith(mistake)).toThrow(`data set mine: ${message}`);
  });

  test.each<[string, () => unknown, string]>([
    [
      "nothing",
      () => undefined,
      ": read must be a function that returns { images, labels, count }, not undefined",
    ],
    [
      "a promise",
      async () => read(),
      ": read must be a function that returns { images, labels, count }, not a Promise",
    ],
    [
      "no images",
      () => ({ ...read(), images: [] }),
      ": images must be a Uint8Array of bytes or a Float32Array",
    ],
    [
      "pixels that lack",
      () => ({ ...read(), images: new Uint8Array(11) }),
      ": images must hold 3 x [1, 2, 2] = 12",
    ],
    [
      "no labels",
      () => ({ ...read(), labels: undefined }),
      ": labels must be a list of class numbers, not undefined",
    ],
    [
      "no image",
      () => ({ images: new Uint8Array(), labels: [], count: 0 }),
      ": labels must hold a label or more",
    ],
    ["an unknown class", () => ({ ...read(), labels: [0, 1, 2] }), ": labels[2]: 2 is not a class in 0 .. 1"],
    [
      "half a class",
      () => ({ ...read(), labels: Float32Array.of(0, 0.5, 1) }),
      ": labels[1]: 0.5 is not a class",
    ],
    [
      "floats of 255",
      () => ({ ...read(), images: new Float32Array(12).fill(255) }),
      ": images[0]: 255 is not in",
    ],
    [
      "NaN",
      () => ({ ...read(), images: new Float32Array(12).fill(Number.NaN) }),
      ": images[0]: NaN is not in",
    ],
    ["another count", () => ({ ...read(), count: 2 }), ": count must be 3, the number of labels, not 2"],
  ])("a split of %s", (_, mistaken, message) => {
    expect(() => datasetWith({ read: mistaken }).train).toThrow(`data set mine, train${message}`);
  });

  test.each([
    ["nothing", () => undefined],
    ["a promise", async () => read()],
  ])("a source that opens %s", (_, open) => {
    expect(() => datasetWith({ open }).train).toThrow(
      "data set mine: open must be a function that returns a data set, as imagesOf does, not",
    );
  });

  test("labels may be a list, and a split without a mistake is taken", () => {
    const { train } = datasetWith({ read: () => ({ ...read(), labels: [0, 1, 1] }) });
    expect([train.count, ...train.labels]).toEqual([3, 0, 1, 1]);
  });
});

test("an augmentation that cannot be called is named", () => {
  const mine = defineAugmentation("mine", {
    summary: "mine",
    options,
    create: () => ({ augment: 5 as never }),
  });
  expect(() => mine()).toThrow("augmentation mine: augment must be a function, or undefined for none, not 5");
});

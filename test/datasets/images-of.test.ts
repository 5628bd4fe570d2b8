import { describe, expect, test } from "vitest";
import { type ImagesOfOptions, imagesOf, TensorSplit } from "../../src/datasets/index.js";
import { scope } from "../../src/engine/index.js";

const shape = [2, 1, 3] as const;
const classes = ["cat", "dog"];
/** Images of 6 pixels, each of the image's number. */
const bytes = (count: number, first = 0) =>
  Uint8Array.from({ length: 6 * count }, (_, i) => first + Math.floor(i / 6));
const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 2);
const given = (count: number, change: Partial<ImagesOfOptions> = {}): ImagesOfOptions => ({
  images: bytes(count),
  labels: labels(count),
  shape,
  classes,
  ...change,
});
/** Numbers of the images of a split, which their pixels tell. */
const numbers = ({ images, count }: { images: ArrayLike<number>; count: number }) =>
  Array.from({ length: count }, (_, i) => images[6 * i]!);

describe("images in memory", () => {
  test("say what they are", () => {
    const data = imagesOf(given(4, { name: "pets" }));
    expect(data).toMatchObject({ name: "pets", imageShape: [2, 1, 3], classNames: classes });
    expect([String(data), JSON.stringify({ data })]).toEqual(["pets", '{"data":"pets"}']);
    expect(imagesOf(given(4)).name).toBe("own-images");
    expect(data.locate?.()).toBeUndefined();
  });

  test("of bytes stand for p / 255, those of floats for themselves", () => {
    const floats = Float32Array.from([0, 0.25, 0.5, 0.75, 1, 0.125]);
    const splits = [
      imagesOf(given(1, { images: Uint8Array.of(0, 51, 102, 153, 204, 255) })).train,
      imagesOf(given(1, { images: floats })).train,
    ];
    const [ofBytes, ofFloats] = splits.map((split) => {
      const held = new TensorSplit(split);
      const pixels = scope(() => held.range(0, 1).images.toNumbers());
      held.dispose();
      return pixels;
    });
    for (const [i, pixel] of [0, 0.2, 0.4, 0.6, 0.8, 1].entries()) expect(ofBytes![i]).toBeCloseTo(pixel, 7);
    expect(ofFloats).toEqual([...floats]);
  });

  test("may be a view into a larger array", () => {
    const data = imagesOf(given(2, { images: bytes(5).subarray(12, 24), labels: Uint8Array.of(1, 0) }));
    expect(numbers(data.train)).toEqual([2, 3]);
    expect([...data.train.labels]).toEqual([1, 0]);
  });

  test("may have more classes than a byte can number", () => {
    const many = Array.from({ length: 300 }, (_, i) => `class ${i}`);
    const data = imagesOf(given(3, { labels: [0, 255, 299], classes: many }));
    expect([...data.train.labels]).toEqual([0, 255, 299]);
    const held = new TensorSplit(data.all);
    expect(scope(() => held.range(0, 3).labels.toNumbers())).toEqual([0, 255, 299]);
    held.dispose();
    const full = imagesOf(given(1, { labels: [255], classes: many.slice(0, 256) }));
    expect(full.train.labels[0]).toBe(255);
  });
});

describe("test images", () => {
  test("are a share, chosen by the seed, which the training images do not have", () => {
    const data = imagesOf(given(20, { test: 0.25 }));
    expect([data.train.count, data.test.count, data.all.count]).toEqual([15, 5, 20]);
    const [train, held] = [numbers(data.train), numbers(data.test)];
    expect([...train, ...held].sort((a, b) => a - b)).toEqual(numbers({ images: bytes(20), count: 20 }));
    expect([train, held].every((some) => some.every((n, i) => i === 0 || n > some[i - 1]!))).toBe(true);
    for (const split of [data.train, data.test])
      expect([...split.labels]).toEqual(numbers(split).map((n) => n % 2));
    expect(numbers(imagesOf(given(20, { test: 0.25 })).test)).toEqual(held);
    expect(numbers(imagesOf(given(20, { test: 0.25, seed: 1 })).test)).not.toEqual(held);
    expect(data.train.name).toBe("own-images train");
  });

  test("may be images of their own", () => {
    const data = imagesOf(given(4, { test: { images: bytes(2, 100), labels: [1, 0] } }));
    expect([numbers(data.train), numbers(data.test)]).toEqual([
      [0, 1, 2, 3],
      [100, 101],
    ]);
    expect(numbers(data.all)).toEqual([0, 1, 2, 3, 100, 101]);
    expect([...data.all.labels]).toEqual([0, 1, 0, 1, 1, 0]);
  });

  test("are missed where there are none, but for all images together", () => {
    const data = imagesOf(given(4));
    expect(() => data.test).toThrow("these images have no test split: give test: 0.2, or test images");
    expect([data.all.count, data.all.name]).toEqual([4, "own-images all"]);
  });

  test.each([0, 1, -0.5, 1.5, 0.01, 0.999, Number.NaN])("cannot be a share of %s", (share) => {
    expect(() => imagesOf(given(20, { test: share }))).toThrow(
      new RangeError(`test must be a share that leaves images on both sides of 20, not ${share}`),
    );
  });

  test("must be of the same kind as the others", () => {
    const floats = { images: new Float32Array(6), labels: [0] };
    expect(() => imagesOf(given(4, { test: floats }))).toThrow(
      "test.images must be bytes where images are bytes",
    );
    expect(() => imagesOf(given(1, { ...floats, test: { images: bytes(1), labels: [0] } }))).toThrow(
      "test.images must be",
    );
    expect(() => imagesOf(given(4, { test: "0.2" as never }))).toThrow(
      'test must be a share such as 0.2, or { images, labels }, not "0.2"',
    );
    expect(() => imagesOf(given(4, { test: { images: bytes(1), labels: [2] } }))).toThrow(
      "test.labels[0]: 2 is not a class in 0 .. 1",
    );
  });
});

describe("the identity of images", () => {
  const identity = (change: Partial<ImagesOfOptions> = {}, count = 4) =>
    imagesOf(given(count, change)).identity;

  test("is that of their pixels, labels, shape and classes, wherever they lie", () => {
    const wanted = identity();
    expect(wanted).toMatch(/^own-images-[0-9a-f]{8}$/);
    expect(identity({ images: bytes(6).subarray(0, 24), labels: Int32Array.of(0, 1, 0, 1) })).toBe(wanted);
    const other = bytes(4);
    other[23]! += 1;
    const others = [
      identity({ images: other }),
      identity({ labels: [0, 1, 0, 0] }),
      identity({ shape: [1, 2, 3] }),
      identity({ classes: ["dog", "cat"] }),
      identity({ name: "pets" }),
      identity({ test: 0.25 }),
      identity({ test: 0.25, seed: 2 }),
      identity({}, 5),
    ];
    expect(new Set([wanted, ...others]).size).toBe(others.length + 1);
  });
});

describe("images that do not fit are refused:", () => {
  test.each<[string, Partial<Record<keyof ImagesOfOptions, unknown>>, string]>([
    [
      "other types",
      { images: [0, 0, 0] },
      "images must be a Uint8Array of bytes or a Float32Array in [0, 1], not [0, 0, 0]",
    ],
    ["float64", { images: new Float64Array(24) }, "images must be a Uint8Array of bytes or a Float32Array"],
    [
      "too few pixels",
      { images: bytes(3) },
      "images must hold 4 x [2, 1, 3] = 24 pixels, one image for each label, given 18",
    ],
    [
      "gray levels as floats",
      { images: new Float32Array(24).fill(255) },
      "images[0]: 255 is not in [0, 1]; divide bytes",
    ],
    ["NaN", { images: new Float32Array(24).fill(Number.NaN, 3) }, "images[3]: NaN is not in [0, 1]"],
    ["no labels", { labels: undefined }, "labels must be a list of class numbers, not undefined"],
    ["text for labels", { labels: "0101" }, 'labels must be a list of class numbers, not "0101"'],
    ["an empty set", { labels: [], images: bytes(0) }, "labels must hold a label or more, given none"],
    ["a label beyond the classes", { labels: [0, 1, 2, 0] }, "labels[2]: 2 is not a class in 0 .. 1"],
    ["a negative label", { labels: [0, -1, 0, 0] }, "labels[1]: -1 is not a class in 0 .. 1"],
    ["half a label", { labels: [0, 1, 1, 0.5] }, "labels[3]: 0.5 is not a class in 0 .. 1"],
    ["a hole in the labels", { labels: new Array(4) }, "labels[0]: undefined is not a class in 0 .. 1"],
    ["big integers", { labels: BigInt64Array.of(0n, 1n, 0n, 1n) }, "labels[0]: 0 is not a class in 0 .. 1"],
    ["no shape", { shape: undefined }, "shape must be [channels, height, width], not undefined"],
    ["a shape of two sides", { shape: [2, 3] }, "shape must be [channels, height, width], not [2, 3]"],
    ["an empty side", { shape: [2, 0, 3] }, "shape must be whole numbers >= 1, not 0"],
    ["a number of classes", { classes: 2 }, "classes must be a list of class names, not 2"],
    ["one class", { classes: ["cat"] }, "classes must name two classes or more, given 1"],
    [
      "a class twice",
      { classes: ["cat", "dog", "cat"] },
      'classes must have names of their own, given "cat" twice',
    ],
    ["a name that is a path", { name: "../pets" }, "name must be 1 to 64 letters, digits, _, . and -"],
    ["a hidden name", { name: ".pets" }, "name must be 1 to 64 letters, digits, _, . and -"],
    ["a seed that is none", { test: 0.5, seed: -1 }, "seed must be an integer from 0"],
  ])("%s", (_, change, message) => {
    expect(() => imagesOf(given(4, change as Partial<ImagesOfOptions>))).toThrow(message);
  });

  test("no options", () => {
    expect(() => imagesOf(undefined as never)).toThrow(
      "options must be an object such as { images, labels, shape, classes }",
    );
  });
});

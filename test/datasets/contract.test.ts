import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type DatasetDefinition, datasetByName, datasets } from "../../src/datasets/index.js";

/** Why the data set cannot be tested here, or undefined. */
function whyMissing(definition: DatasetDefinition): string | undefined {
  try {
    definition.locate();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe.each([...datasets.values()])("data set $name", (definition) => {
  const missing = whyMissing(definition);

  test("is found under its name, described, and named in kebab-case", () => {
    expect(datasetByName(definition.name)).toBe(definition);
    expect(definition.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(definition.summary.length).toBeGreaterThan(10);
    for (const option of Object.values(definition.options.shape)) expect(option.description).toBeTruthy();
  });

  test("refuses unknown and ill-typed options", () => {
    expect(() => definition.load({ folderr: "x" })).toThrow('unknown option "folderr"; did you mean "folder"?');
    expect(() => definition.load({ folder: 3 })).toThrow(/folder/);
    expect(() => definition.load({ checksums: "no" })).toThrow(/checksums/);
  });

  test("has images and labels that fit each other", (context) => {
    context.skip(missing !== undefined, missing);
    const dataset = definition.load();
    const [channels, height, width] = dataset.imageShape;
    expect(dataset.name).toBe(definition.name);
    expect(dataset.classes).toBe(dataset.classNames.length);
    expect(new Set(dataset.classNames).size).toBe(dataset.classes);
    for (const split of [dataset.train, dataset.test]) {
      expect(split.labels).toHaveLength(split.count);
      expect(split.images).toHaveLength(split.count * channels * height * width);
      expect(split.images.constructor).toBe(Uint8Array);
      expect(split.labels.constructor).toBe(Uint8Array);
      expect(new Set(split.labels)).toEqual(new Set(dataset.classNames.keys()));
      expect(split.images.some((pixel) => pixel > 200)).toBe(true);
    }
    expect(dataset.train).toBe(dataset.train);
    expect(dataset.test).toBe(dataset.test);
  });
});

test("an unknown name suggests the nearest and lists all", () => {
  expect(() => datasetByName("minst")).toThrow(
    new RangeError('unknown data set "minst"; did you mean "mnist"? known: mnist, fashion-mnist, cifar10'),
  );
});

test("MNIST is the published one", () => {
  const { train, test: testSplit } = datasetByName("mnist").load();
  expect([train.count, testSplit.count]).toEqual([60_000, 10_000]);
  // The first labels of both splits and the test images per digit, as published with the data.
  expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  expect([...testSplit.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
  const perDigit = new Array<number>(10).fill(0);
  for (const label of testSplit.labels) perDigit[label]! += 1;
  expect(perDigit).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // The mean that everybody normalizes by, 0.1307.
  let sum = 0;
  for (let index = 0; index < train.images.length; index++) sum += train.images[index]!;
  expect(sum / train.images.length / 255).toBeCloseTo(0.1307, 4);
  // The well-known MD5 of the uncompressed file of test labels, header included.
  const header = Buffer.from([0, 0, 8, 1, 0, 0, 0x27, 0x10]);
  expect(createHash("md5").update(header).update(testSplit.labels).digest("hex")).toBe(
    "27ae3e4e09519cfbb04c329615203637",
  );
});

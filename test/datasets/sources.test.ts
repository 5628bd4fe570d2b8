import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test, vi } from "vitest";
import { type Dataset, imagesFrom, type Split } from "../../src/datasets/index.js";
import { fileBytes, openNpz } from "../../src/files/index.js";
import { idxBytes, writeFolder } from "./idx-files.js";
import { npyBytes, pixelsOf, pngOf, writeClasses } from "./image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-sources-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));
const golden = new URL("../golden/images", import.meta.url).pathname;

let made = 0;
const newFolder = () => writeFolder(join(parent, `made-${made++}`), {});
const idsOf = ({ stored, count }: Split) => Array.from({ length: count }, (_, i) => stored!.id(i));

describe("a folder with one folder for each class", () => {
  test("numbers classes by the bytes of their names, and begins with an image of each", () => {
    const data = imagesFrom(writeClasses(newFolder(), ["bee", "Zebra", "ant"], 2));
    expect([data.name, data.classNames, data.imageShape]).toEqual([
      "image-folder",
      ["Zebra", "ant", "bee"],
      [3, 10, 12],
    ]);
    expect([...data.test.labels]).toEqual([0, 1, 2, 0, 1, 2]);
    expect(idsOf(data.test)).toEqual([
      "Zebra/0.png",
      "ant/0.png",
      "bee/0.png",
      "Zebra/1.png",
      "ant/1.png",
      "bee/1.png",
    ]);
    expect(data.all).toBe(data.test);
    expect(() => data.train).toThrow(/one split of images, and none is to train on: give test=0.2/);
  });

  test("takes the order of classes.txt, which may name more of them", () => {
    const folder = writeClasses(newFolder(), ["ant", "bee"], 1);
    writeFileSync(join(folder, "classes.txt"), "bee\r\ncow\nant\n\n");
    const data = imagesFrom(folder);
    expect([data.classNames, [...data.test.labels]]).toEqual([
      ["bee", "cow", "ant"],
      [0, 2],
    ]);
    writeFileSync(join(folder, "classes.txt"), "bee\ncow\n");
    expect(() => imagesFrom(folder).test).toThrow(/ant: no class of this name; classes: bee, cow/);
    const named = (content: string | Uint8Array) => {
      writeFileSync(join(folder, "classes.txt"), content);
      return () => imagesFrom(folder).test;
    };
    // Left out, an empty line would give each class behind it the number before its own.
    expect(named("bee\n\nant\ncow\n")).toThrow(/classes.txt:2: an empty line, expected a class on each/);
    expect(named(Buffer.from("\ufeffant\nbee\n", "utf16le"))).toThrow(/classes.txt: not text in UTF-8/);
    expect(named(Buffer.from("ant\nb\xe9e\n", "latin1"))).toThrow(/classes.txt: not text in UTF-8/);
    expect(named(" \n")).toThrow(/classes.txt: 0 classes/);
    writeFileSync(join(folder, "classes.txt"), "bee\nbee\n");
    expect(() => imagesFrom(folder).test).toThrow(/the class bee stands twice/);
  });

  test("has splits where it has folders of them", () => {
    const folder = newFolder();
    writeClasses(join(folder, "train"), ["a", "b"], 3);
    writeClasses(join(folder, "val"), ["a", "b"], 1);
    const { train, test: held } = imagesFrom(folder);
    expect([train.count, held.count]).toEqual([6, 2]);
    expect(() => imagesFrom(folder, { test: 0.5 }).test).toThrow(/leave test=0.5 out/);
  });

  test("is divided by a share, or is all to train on", () => {
    const folder = writeClasses(newFolder(), ["a", "b"], 5);
    const { train, test: held, all } = imagesFrom(folder, { test: 0.3 });
    expect([train.count, held.count, all.count]).toEqual([7, 3, 10]);
    expect(new Set([...idsOf(train), ...idsOf(held)]).size).toBe(10);
    const whole = imagesFrom(folder, { test: 0 });
    expect(whole.train.count).toBe(10);
    expect(() => whole.test).toThrow(/none is to test on/);
    expect(() => imagesFrom(folder, { test: 0.01 }).test).toThrow(/leaves images on both sides/);
  });

  test("passes over what systems leave, and refuses images that it would lose", () => {
    const folder = writeClasses(newFolder(), ["a", "b"], 1);
    for (const name of [".DS_Store", "Thumbs.db", "._0.png", "notes.txt"])
      writeFileSync(join(folder, "a", name), "x");
    mkdirSync(join(folder, ".git"));
    expect(imagesFrom(folder).test.count).toBe(2);
    writeFileSync(join(folder, "a", "1.tiff"), "x");
    expect(() => imagesFrom(folder).test).toThrow(/1\.tiff: \.tiff is not read/);
  });

  test("names the image at fault", async () => {
    const folder = writeClasses(newFolder(), ["a", "b"], 2);
    writeFileSync(join(folder, "b", "1.png"), pngOf(0, 0).subarray(0, 150));
    await expect(pixelsOf(imagesFrom(folder).test)).rejects.toThrow(
      /b\/1\.png: cannot be decoded, it is truncated/,
    );
    writeFileSync(join(folder, "b", "1.png"), pngOf(0, 0, 20, 20));
    await expect(pixelsOf(imagesFrom(folder).test)).rejects.toThrow(/20 x 20 pixels.*give size=N/);
    writeFileSync(join(folder, "b", "1.png"), "GIF89a..........");
    await expect(pixelsOf(imagesFrom(folder).test)).rejects.toThrow(
      /not an image in PNG, JPEG or WebP: it is a GIF/,
    );
    cpSync(join(golden, "variants", "gray-16.png"), join(folder, "b", "1.png"));
    await expect(pixelsOf(imagesFrom(folder, { size: 8 }).test)).rejects.toThrow(/gray PNG of 16 bits/);
    // Of 20,000 pixels in a row, resizing alone would make 5,120,000 x 256.
    writeFileSync(join(folder, "b", "1.png"), pngOf(0, 0, 20_000, 1));
    const strip = imagesFrom(folder, { resize: 256 }).test;
    const before = process.memoryUsage.rss();
    await expect(pixelsOf(strip)).rejects.toThrow(/b\/1.png: 20000 x 1 pixels, and the images before it/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 29);
    const small = imagesFrom(writeClasses(newFolder(), ["a", "b"], 1), { crop: 11 });
    await expect(pixelsOf(small.test)).rejects.toThrow(/fewer than its crop of 11/);
    expect(() => imagesFrom(folder, { size: 8, resize: 8 }).test).toThrow(/give size or resize/);
  });
});

describe("a CSV list", () => {
  const folder = writeClasses(newFolder(), ["ant", "bee"], 2);
  const listed = (text: string): Dataset => {
    writeFileSync(join(folder, "list.csv"), text);
    return imagesFrom(join(folder, "list.csv"));
  };

  test("has paths beside it and names of classes, in its own order", async () => {
    const data = listed('bee/0.png,bee\nant/0.png,ant\r\n\n"bee/1.png","bee"');
    expect([data.name, data.classNames, [...data.test.labels]]).toEqual([
      "image-list",
      ["ant", "bee"],
      [1, 0, 1],
    ]);
    expect((await pixelsOf(data.test)).length).toBe(3 * 360);
  });

  test("may have an image several times, with one label in one split", () => {
    const rows = "bee/0.png,bee,train\nbee/0.png,bee,train\nant/0.png,ant,test\nbee/0.png,bee,val";
    expect([...listed(`path,label,split\n${rows}`).train.labels]).toEqual([1, 1]);
  });

  test("may have many numbers, of which the largest is one too many", () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `bee/0.png,${i}`);
    expect(() => listed(rows.join("\n")).test).toThrow(/200000 classes/);
  });

  test("has class numbers also where a table wrote them as floats", () => {
    const rows = Array.from({ length: 12 }, (_, i) => `bee/${i}.png,${i}.0`);
    const data = listed(`path,label\n${rows.join("\n")}`);
    expect([data.classNames[10], [...data.test.labels]]).toEqual(["10", Array.from(rows, (_, i) => i)]);
    // Digits alone may be names, as folders have them.
    expect(listed("bee/0.png,007\nbee/1.png,08").classNames).toEqual(["007", "08"]);
  });

  test("is read by its column label where it has names of classes as well", () => {
    const data = listed("file,class_name,label,y\nbee/0.png,bee,0,7\nant/0.png,ant,1,7\n");
    expect([data.classNames, [...data.test.labels]]).toEqual([
      ["0", "1"],
      [0, 1],
    ]);
  });

  test("may end its rows in commas", () => {
    expect(listed("path,label\nbee/0.png,bee,\nant/0.png,ant,,\n").classNames).toEqual(["ant", "bee"]);
  });

  test("may have a header, splits and numbers", () => {
    const rows = "id,label,image,split\n7,1,bee/0.png,train\n8,0,ant/0.png,val\n9,0,ant/1.png,VAL";
    const data = listed(rows);
    expect([data.classNames, [...data.train.labels], [...data.test.labels]]).toEqual([
      ["0", "1"],
      [1],
      [0, 0],
    ]);
    // Images for validation are not among those to test on.
    expect([...listed(`${rows}\n10,1,bee/1.png,test`).test.labels]).toEqual([1]);
    expect(() => listed(`${rows}\n10,1,bee/1.png`).test).toThrow(/list.csv:5: split .*, expected train, val/);
  });

  test.each([
    ["", /has no rows/],
    ["path,label\n", /no rows below its header/],
    ["path,name\na.png,ant", /header without a column label/],
    ["bee/0.png\nant/0.png", /list.csv:1: expected a path and a label, .*, found bee\/0.png$/],
    ["path;label\nbee/0.png;bee", /list.csv:1: .* found path;label; commas part fields$/],
    ["bee/0.png,-1\nant/0.png,1", /list.csv: its labels are numbers, and -1 is no class number from 0 on/],
    ["bee/0.png,0.5\nant/0.png,1.0", /0.5 is no class number from 0 on/],
    ["bee/0.png,bee\nant/0.png,", /list.csv:2: expected a path and a label/],
    ['bee/0.png,"bee\nant/0.png,ant', /a quote is not closed/],
    ['"bee"/0.png,bee', /text follows a closing quote/],
    ["path,label,split\nbee/0.png,bee,dev\n", /split dev, expected train, val or test/],
    [
      "path,label\nbee/0.png,bee\nant/0.png,ant, red",
      /list.csv:3: 3 fields, and 2 in the first row: put quotes/,
    ],
    ["bee/0.png,bee\nant,0.png,ant", /list.csv:2: 3 fields, and 2 .* found ant,0.png,ant$/],
    ["path,label,label\nbee/0.png,bee,1\nant/0.png,ant,0", /list.csv:1: two columns are named label/],
    ["bee/0.png,bee\nbee/1.png,bee", /1 class, expected 2 or more/],
    [
      "bee/0.png,bee\nant/0.png,ant\nbee/../bee/0.png,ant",
      /list.csv:3: bee\/..\/bee\/0.png has the label ant, and bee in line 1: an image has one label$/,
    ],
    [
      "path,label,split\nbee/0.png,bee,train\nant/0.png,ant,train\nbee/0.png,bee,test",
      /list.csv:4: bee\/0.png is to test on, and to train on in line 2: give it to one split$/,
    ],
    [
      "bee/0.png,2\nbee/1.png,1",
      /list.csv: its labels are 1 to 2, and classes are numbered from 0: subtract/,
    ],
  ])("refuses %j", (text, message) => {
    expect(() => listed(text).test).toThrow(message);
  });
});

describe("IDX folders as people have them", () => {
  const images = (count: number) =>
    idxBytes(
      [count, 2, 3],
      Uint8Array.from({ length: count * 6 }, (_, i) => i),
    );
  const labels = (values: readonly number[]) => idxBytes([values.length], Uint8Array.from(values));
  const four = (prefix: string, end: string, values: readonly number[]) => ({
    [`${prefix}train-images${end.replace("#", "3")}`]: images(values.length),
    [`${prefix}train-labels${end.replace("#", "1")}`]: labels(values),
    [`${prefix}test-images${end.replace("#", "3")}`]: images(values.length),
    [`${prefix}test-labels${end.replace("#", "1")}`]: labels(values),
  });

  test.each([
    ["EMNIST's names", four("emnist-digits-", "-idx#-ubyte", [0, 1, 2])],
    [
      "gzipped",
      Object.fromEntries(
        Object.entries(four("", "-idx#-ubyte.gz", [0, 1, 2])).map(([n, b]) => [n, gzipSync(b)]),
      ),
    ],
    ["with dots", four("", ".idx#-ubyte", [0, 1, 2])],
  ])("%s", (_, files) => {
    const data = imagesFrom(writeFolder(join(newFolder(), "raw"), files).replace(/\/raw$/, ""));
    expect([data.name, data.imageShape, data.classNames]).toEqual(["idx", [1, 2, 3], ["0", "1", "2"]]);
    expect([data.train.count, data.test.count]).toEqual([3, 3]);
  });

  test("files in folders of their own names", () => {
    const folder = newFolder();
    for (const [name, bytes] of Object.entries(four("", "-idx#-ubyte", [0, 1])))
      writeFolder(join(folder, name), { [name]: bytes });
    expect(imagesFrom(folder).train.count).toBe(2);
  });

  test("labels from 1 are told what to do", () => {
    const folder = writeFolder(newFolder(), four("emnist-letters-", "-idx#-ubyte", [1, 5, 26]));
    expect(() => imagesFrom(folder).test).toThrow(
      /as those of EMNIST's letters, are 1 to 26: give firstLabel=1/,
    );
    const data = imagesFrom(folder, { firstLabel: 1 });
    expect([data.classNames.length, data.classNames[0], [...data.test.labels]]).toEqual([
      26,
      "1",
      [0, 4, 25],
    ]);
  });

  test("several data sets in a folder are told apart by prefix", () => {
    const folder = writeFolder(newFolder(), {
      ...four("emnist-digits-", "-idx#-ubyte", [0, 1]),
      ...four("emnist-mnist-", "-idx#-ubyte", [0, 1, 2]),
    });
    expect(() => imagesFrom(folder).test).toThrow(/give prefix=NAME, of emnist-digits, emnist-mnist/);
    expect(imagesFrom(folder, { prefix: "emnist-mnist" }).test.count).toBe(3);
  });

  test("several data sets of one beginning, in folders of it, are refused", () => {
    const folder = newFolder();
    for (const name of ["fashion", "mnist"]) writeFolder(join(folder, name), four("", "-idx#-ubyte", [0, 1]));
    const opened = () => imagesFrom(folder).test;
    expect(opened).toThrow(
      /it has several data sets, such as \w+ images in \S+fashion\S+ and \S+mnist\S+: give/,
    );
    expect(imagesFrom(join(folder, "mnist")).test.count).toBe(2);
    // Packed and unpacked, and with a dot and a dash, they are the same.
    const twins = Object.entries(four("", ".idx#-ubyte", [0, 1]));
    writeFolder(join(folder, "mnist"), Object.fromEntries(twins.map(([n, b]) => [`${n}.gz`, gzipSync(b)])));
    expect(imagesFrom(join(folder, "mnist")).test.count).toBe(2);
  });

  test("rows and columns change places for EMNIST", () => {
    const folder = writeFolder(newFolder(), four("", "-idx#-ubyte", [0, 1]));
    const { test: held, imageShape } = imagesFrom(folder, { transpose: true });
    expect(imageShape).toEqual([1, 3, 2]);
    expect([...held.images.subarray(0, 6)]).toEqual([0, 3, 1, 4, 2, 5]);
  });
});

describe("Hugging Face parquet", () => {
  test("has the images that PIL reads, the labels and the class names", async () => {
    const data = imagesFrom(join(golden, "parquet"));
    expect([data.name, data.classNames, data.imageShape]).toEqual([
      "parquet",
      ["cat", "dog", "owl"],
      [3, 12, 10],
    ]);
    for (const [split, file] of [
      [data.train, "train-00000-of-00001.npz"],
      [data.test, "test-00000-of-00001.npz"],
    ] as const) {
      const wanted = await pixelsOf(imagesFrom(withLabels(join(golden, "parquet", file), split.count)).test);
      expect([...split.labels]).toEqual(Array.from({ length: split.count }, (_, i) => i % 3));
      expect(Buffer.compare(Buffer.from(await pixelsOf(split)), Buffer.from(wanted))).toBe(0);
    }
  });

  /** The images of an archive as `.npy` beside labels, which it has none of. */
  function withLabels(file: string, count: number): string {
    const folder = newFolder();
    const array = openNpz(fileBytes(file)).get("images")!();
    writeFileSync(join(folder, "x.npy"), npyBytes("|u1", array.shape, array.read(0, array.size)));
    writeFileSync(
      join(folder, "y.npy"),
      npyBytes(
        "|u1",
        [count],
        Uint8Array.from({ length: count }, (_, i) => i % 3),
      ),
    );
    return join(folder, "x.npy");
  }

  test("names its columns where it is asked for others", () => {
    const file = join(golden, "parquet", "test-00000-of-00001.parquet");
    expect(() => imagesFrom(file, { label: "kind" }).test).toThrow(
      /columns image.bytes, image.path, label; give label=COLUMN/,
    );
  });
});

describe("what a path is", () => {
  test.each([
    [{}, /it is empty; give a folder with one folder for each class/],
    [
      { "a.png": pngOf(0, 0), "b.jpg": pngOf(0, 0) },
      /it has 2 images and no folders: nothing says their classes/,
    ],
    [{ "list.csv": Buffer.from("a") }, /it has list.csv: give that file/],
  ])("is said where it is none", (files, message) => {
    expect(() => imagesFrom(writeFolder(newFolder(), files))).toThrow(message);
  });

  test("is said for files", () => {
    expect(() => imagesFrom(join(parent, "nothing"))).toThrow(/nothing does not exist: give/);
    const file = join(newFolder(), "images.zip");
    writeFileSync(file, "x");
    expect(() => imagesFrom(file)).toThrow(/images are not read from .zip: unpack it/);
  });
});

test("a data set's identity is its content, wherever it lies", () => {
  const [here, there, other] = [0, 0, 1].map((seed) => writeClasses(newFolder(), ["a", "b"], 2, seed));
  const identity = (folder: string, options = {}) => imagesFrom(folder, options).identity;
  expect(identity(here!)).toMatch(/^image-folder-[0-9a-f]{8}$/);
  expect(identity(there!)).toBe(identity(here!));
  expect(identity(other!)).not.toBe(identity(here!));
  expect(identity(here!, { size: 8 })).not.toBe(identity(here!));
});

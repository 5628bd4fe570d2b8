import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { imagesFrom } from "../../src/datasets/index.js";
import { pngOf, writeClasses } from "./image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-image-folder-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));

let made = 0;

/** Folder of the given splits, each with folders of two classes of as many images. */
function photos(splits: Readonly<Record<string, number>>): string {
  const folder = join(parent, `made-${made++}`);
  for (const [split, count] of Object.entries(splits))
    writeClasses(join(folder, split), ["cat", "dog"], count);
  return folder;
}

/** Writes a file into a folder that is made for it. */
function write(folder: string, name: string, content: string | Uint8Array = "x"): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
}

const refusal = (folder: string) => {
  try {
    return imagesFrom(folder).test.count;
  } catch (error) {
    expect(error).toBeInstanceOf(FileFormatError);
    return (error as Error).message;
  }
};

describe("folders beside those of splits", () => {
  test("are passed over where they hold no images", () => {
    const folder = photos({ train: 3, val: 1 });
    write(join(folder, "annotations"), "x.json");
    write(join(folder, "annotations", "boxes"), "x.xml");
    mkdirSync(join(folder, "empty"));
    const data = imagesFrom(folder);
    expect([data.classNames, data.train.count, data.test.count]).toEqual([["cat", "dog"], 6, 2]);
  });

  test.each([
    ["extra", "1.JPG"],
    ["extra/more", "1.png"],
    ["extra", "1.tiff"],
  ])("are refused where they hold images, as %s with %s", (below, name) => {
    const folder = photos({ train: 1, val: 1 });
    write(join(folder, below), name);
    expect(refusal(folder)).toMatch(
      /folders of classes lie in train and val, and extra beside holds images: .* move extra elsewhere/,
    );
  });

  test("make train the name of a class where it holds images itself", () => {
    const folder = writeClasses(join(parent, "vehicles"), ["bus", "train"], 2);
    const data = imagesFrom(folder);
    expect([data.classNames, data.test.count]).toEqual([["bus", "train"], 4]);
  });
});

describe("folders of splits", () => {
  test.each(["Train Val", "training Testing", "TRAIN TEST"])("are found as %s", (names) => {
    const [train, held] = names.split(" ");
    const data = imagesFrom(photos({ [train!]: 2, [held!]: 1 }));
    expect([data.classNames, data.train.count, data.test.count]).toEqual([["cat", "dog"], 4, 2]);
  });

  test("are the first that hold folders of classes", () => {
    const folder = photos({ train: 3, val: 1 });
    write(join(folder, "test"), "1.jpg", pngOf(0, 0));
    expect([imagesFrom(folder).train.count, imagesFrom(folder).test.count]).toEqual([6, 2]);
    const both = photos({ train: 3, val: 1, test: 2 });
    expect(imagesFrom(both).test.count).toBe(4);
  });

  test("hold no test images where there is only one to train on", () => {
    const folder = photos({ train: 5 });
    write(join(folder, "test"), "1.jpg", pngOf(0, 0));
    const { train, test: held } = imagesFrom(folder, { test: 0.2 });
    expect([train.count, held.count]).toEqual([8, 2]);
    const data = imagesFrom(folder);
    expect([data.train.count, data.all]).toEqual([10, data.train]);
    expect(() => data.test).toThrow(/one split of images, train, and none is to test on: give test=0.2/);
    expect(data.identity).toBe(imagesFrom(folder, { test: 0 }).identity);
    // Its folder alone has no name of a split.
    expect(imagesFrom(join(folder, "train")).test.count).toBe(10);
  });

  test("may be only one to test on", () => {
    const data = imagesFrom(photos({ val: 2 }));
    expect(data.test.count).toBe(4);
    expect(() => data.train).toThrow(/none is to train on: give test=0.2/);
  });
});

test("JPEGs may end in .jfif and .jpe, as browsers save them", () => {
  const folder = writeClasses(join(parent, "saved"), ["cat", "dog"], 1);
  for (const ending of [".jfif", ".JPE"]) write(join(folder, "cat"), `9${ending}`, pngOf(0, 9));
  expect(imagesFrom(folder).test.count).toBe(4);
  write(join(folder, "dog"), "9.heif");
  expect(refusal(folder)).toMatch(/9.heif: .heif is not read: save it as PNG, JPEG or WebP/);
});

test.skipIf(process.platform === "darwin")("names that are not in UTF-8 are refused as such", () => {
  const folder = writeClasses(join(parent, "latin"), ["cat", "dog"], 1);
  writeFileSync(Buffer.from(`${folder}/cat/caf\xe9.png`, "latin1"), pngOf(0, 9));
  expect(refusal(folder)).toMatch(/cat\/caf\ufffd.png: its name is not in UTF-8, .*: rename it/);
});

describe("links to nothing", () => {
  const linked = (below: string, to = join(parent, "lost")) => {
    const folder = writeClasses(join(parent, `made-${made++}`), ["cat", "dog"], 2);
    symlinkSync(to, join(folder, below));
    return folder;
  };

  test.each(["cat/9.jpg", "cat/more", "bird"])("are refused as %s", (below) => {
    expect(refusal(linked(below))).toMatch(
      new RegExp(`${below}: a link to nothing.*: mend it or take it out`),
    );
  });

  test("are refused where they go round, and other things named as images", () => {
    expect(refusal(linked("cat/9.jpg", "9.jpg"))).toMatch(/cat\/9.jpg: a link to nothing/);
    expect(refusal(linked("cat/9.jpg", "/dev/null"))).toMatch(/cat\/9.jpg: not a regular file/);
  });

  test("are followed where they lead to files and folders", () => {
    const folder = photos({ a: 2 });
    const classes = join(folder, "a");
    renameSync(join(classes, "cat", "0.png"), join(parent, "moved.png"));
    symlinkSync(join(parent, "moved.png"), join(classes, "cat", "0.png"));
    symlinkSync(join(classes, "dog"), join(classes, "hound"));
    expect([imagesFrom(classes).classNames, imagesFrom(classes).test.count]).toEqual([
      ["cat", "dog", "hound"],
      6,
    ]);
  });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { imagesFrom } from "../../src/datasets/index.js";
import { fileBytes, npyNumbers, openNpz } from "../../src/files/index.js";
import { zipBytes } from "../files/torch-files.js";
import { processorSeconds } from "../processor-seconds.js";
import { writeFolder } from "./idx-files.js";
import { npyBytes, pixelsOf } from "./image-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-npz-"));
afterAll(() => rmSync(parent, { recursive: true }));
vi.stubEnv("XDG_CACHE_HOME", join(parent, "cache"));
const golden = new URL("../golden/images", import.meta.url).pathname;

let made = 0;
const newFolder = () => writeFolder(join(parent, `made-${made++}`), {});

describe("NumPy arrays", () => {
  const floats = openNpz(fileBytes(join(golden, "floats.npz")));
  const nchw = npyNumbers(floats.get("x")!());

  test.each(["nhwc.npz", "floats.npz"])("%s holds the same images", async (file) => {
    const data = imagesFrom(join(golden, file));
    expect([data.imageShape, data.classNames, [...data.test.labels]]).toEqual([
      [3, 15, 5],
      ["0", "1", "2"],
      [0, 1, 2, 0, 1, 2, 0, 1],
    ]);
    const pixels = await pixelsOf(data.test);
    expect(pixels.length).toBe(nchw.length);
    const scale = pixels instanceof Uint8Array ? 255 : 1;
    expect(pixels.every((pixel, i) => Math.abs(pixel / scale - nchw[i]!) < 1e-7)).toBe(true);
  });

  test("floats of 0 to 255 are said to be so", async () => {
    const file = join(golden, "halves.npz");
    await expect(pixelsOf(imagesFrom(file).test)).rejects.toThrow(/is not in \[0, 1\]; give white=255/);
    const pixels = await pixelsOf(imagesFrom(file, { white: 255 }).test);
    expect(pixels.every((pixel, i) => Math.abs(pixel - nchw[i]!) < 1e-7)).toBe(true);
  });

  test("are found in splits, compressed, and as .npy beside .npy", async () => {
    const { train, test: held } = imagesFrom(join(golden, "splits.npz"));
    expect([train.count, held.count]).toEqual([5, 3]);
    const together = [...(await pixelsOf(train)), ...(await pixelsOf(held))];
    expect(together.every((pixel, i) => Math.abs(pixel / 255 - nchw[i]!) < 1e-7)).toBe(true);
    const gray = imagesFrom(join(golden, "images.npy"));
    expect([gray.imageShape, gray.test.count]).toEqual([[1, 15, 5], 8]);
    expect([...(await pixelsOf(gray.test)).subarray(0, 75)]).toEqual([
      ...(await pixelsOf(train)).subarray(0, 75),
    ]);
  });

  test("are paired within a split: images without labels leave it to the next", () => {
    const image = npyBytes("|u1", [2, 4, 4, 3], new Uint8Array(96));
    const held = npyBytes("|u1", [3, 4, 4, 3], new Uint8Array(144));
    const archive = (names: Readonly<Record<string, Buffer>>) =>
      imagesFrom(
        join(
          writeFolder(newFolder(), {
            "x.npz": zipBytes(Object.entries(names).map(([name, data]) => ({ name, data }))),
          }),
          "x.npz",
        ),
      );
    const { train, test: found } = archive({
      "x_train.npy": image,
      "y_train.npy": npyBytes("|u1", [2], Uint8Array.of(0, 1)),
      "x_test.npy": image,
      "validation_images.npy": held,
      "validation_labels.npy": npyBytes("|u1", [3], Uint8Array.of(1, 0, 1)),
    });
    expect([train.count, [...found.labels]]).toEqual([2, [1, 0, 1]]);
  });

  test.each([
    [[4, 3, 8, 3], [4], /can be read in two ways: give layout=nhwc or layout=nchw/],
    [[4, 8, 8, 2], [4], /has no axis of 1 or 3 channels/],
    [[4, 64], [4], /expected \(images, rows, columns, channels\)/],
    [[4, 8, 8, 3], [3], /expected 4 labels, one for each image/],
    [[4, 8, 8, 3], [4, 2], /save array.argmax\(axis=1\)/],
    [[0, 8, 8, 3], [0], /holds no images/],
  ])("refuses images %j with labels %j", (shape, labels, message) => {
    const folder = newFolder();
    const size = (sides: readonly number[]) => sides.reduce((a, b) => a * b, 1);
    writeFileSync(join(folder, "x.npy"), npyBytes("|u1", shape, new Uint8Array(size(shape))));
    writeFileSync(join(folder, "y.npy"), npyBytes("|u1", labels, new Uint8Array(size(labels)).fill(1)));
    expect(() => imagesFrom(join(folder, "x.npy")).test).toThrow(message);
  });

  test("labels that count from 1 are refused, unless the classes are named; those with gaps are not", () => {
    const labeled = (...labels: number[]) => {
      const folder = newFolder();
      const shape = [labels.length, 4, 4, 3];
      writeFileSync(join(folder, "x.npy"), npyBytes("|u1", shape, new Uint8Array(48 * labels.length)));
      writeFileSync(join(folder, "y.npy"), npyBytes("|u1", [labels.length], Uint8Array.from(labels)));
      return folder;
    };
    const open = (folder: string) => imagesFrom(join(folder, "x.npy"));
    const folder = labeled(3, 1, 2, 3);
    expect(() => open(folder).test).toThrow(
      /x\.npy: its labels are 1 to 3, .* name the classes in classes.txt/,
    );
    writeFileSync(join(folder, "classes.txt"), "none\nant\nbee\ncow\n");
    expect([...open(folder).test.labels]).toEqual([3, 1, 2, 3]);
    expect(open(labeled(1, 3)).classNames).toEqual(["0", "1", "2", "3"]);
    renameSync(join(folder, "x.npy"), join(folder, "X.NPY"));
    const found = imagesFrom(join(folder, "X.NPY"), { labels: join(folder, "y.npy") });
    expect([...found.test.labels]).toEqual([3, 1, 2, 3]);
  });

  test("refuses objects, Fortran order and other types, each with what to do", () => {
    const folder = newFolder();
    const file = join(folder, "x.npy");
    const refused = (bytes: Buffer) => {
      writeFileSync(file, bytes);
      writeFileSync(join(folder, "y.npy"), npyBytes("|u1", [2], new Uint8Array(2)));
      return () => imagesFrom(file).test;
    };
    const data = new Uint8Array(2 * 12);
    expect(refused(npyBytes("|O", [2, 2, 2, 3], data))).toThrow(/Python objects or records/);
    expect(refused(npyBytes(">f4", [2, 2, 2, 3], data))).toThrow(/type >f4 are not read/);
    expect(refused(npyBytes("<U200", [2, 2, 2, 3], data))).toThrow(/type <U200 are not .*; numpy.unique\(/);
    expect(refused(npyBytes("<M8[ns]", [2, 2, 2, 3], data))).toThrow(/type <M8\[ns\] are not read/);
    expect(refused(npyBytes("|b1", [2, 2, 2, 3], data))).toThrow(/save \(array \* 255\)/);
    const fortran = npyBytes("|u1", [2, 2, 2, 3], data).toString("latin1").replace("False, ", "True,  ");
    expect(refused(Buffer.from(fortran, "latin1"))).toThrow(/numpy.ascontiguousarray/);
    expect(refused(npyBytes("|u1", [2, 2, 2, 3], data.subarray(1)))).toThrow(/truncated/);
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${"1".repeat(60_000)}x), }\n`;
    const start = Buffer.from("\x93NUMPY\x02\x00\0\0\0\0", "latin1");
    start.writeUInt32LE(header.length, 8);
    const read = refused(Buffer.concat([start, Buffer.from(header)]));
    const seconds = processorSeconds(() => expect(read).toThrow(/its header cannot be read/));
    expect(seconds).toBeLessThan(2);
  });
});

import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FileFormatError } from "../../src/base/index.js";
import { cifar10, cifar100 } from "../../src/datasets/index.js";
import {
  cifarFiles,
  cifarPickle,
  cifarRecords,
  partsOfRecords,
  writeCifar,
  writeCifar100,
  writePickledCifar,
} from "./cifar-files.js";
import { writeFolder } from "./idx-files.js";

const parent = mkdtempSync(join(tmpdir(), "sqa-cifar-"));
afterAll(() => rmSync(parent, { recursive: true }));
const folder = writeCifar(parent, { train: 3, test: 4 });
let made = 0;
const folderOf = (files: Record<string, Uint8Array>) => writeFolder(join(parent, `made-${made++}`), files);
const load = (place: string, checksums = false) => cifar10({ folder: place, checksums });

describe("cifar10", () => {
  test("is read record by record, batch after batch", () => {
    const { train, test: testSplit } = load(folder);
    expect([train.count, testSplit.count]).toEqual([15, 4]);
    for (const [batch, first] of [
      [1, 0],
      [3, 6],
    ] as const) {
      const records = cifarRecords(3, batch);
      for (let i = 0; i < 3; i++) {
        expect(train.labels[first + i]).toBe(records[i * 3073]);
        const image = train.images.subarray((first + i) * 3072, (first + i + 1) * 3072);
        expect(image).toEqual(records.slice(i * 3073 + 1, (i + 1) * 3073));
      }
    }
    expect([...testSplit.labels]).toEqual([0, 1, 2, 3]);
  });

  test("is found in the folder that the official archive unpacks to", () => {
    const outer = join(parent, "outer");
    writeFolder(outer, {});
    renameSync(folderOf(cifarFiles({ train: 1, test: 1 })), join(outer, "cifar-10-batches-bin"));
    expect(cifar10({ folder: outer }).locate?.()).toBe(join(outer, "cifar-10-batches-bin"));
    expect(load(outer).train.count).toBe(5);
  });

  test("is found in the folder that some unpackers make around it, and beside a folder of a file's name", () => {
    const outer = folderOf({});
    writeFolder(join(outer, "cifar-10-binary", "cifar-10-batches-bin"), cifarFiles({ train: 1, test: 1 }));
    writeFolder(join(outer, "data_batch_1.bin"), {});
    expect(load(outer).train.count).toBe(5);
  });

  test("is said to be in its archive, where only that is there", () => {
    const packed = folderOf({ "cifar-10-binary.tar.gz": new Uint8Array(1) });
    expect(() => load(packed).train).toThrow(
      `it has the archive, which sqa data fetch cifar10 --to ${packed} unpacks; run npx sqa data fetch cifar10`,
    );
  });

  test("refuses what is not it, and says why", () => {
    const files = cifarFiles({ train: 2, test: 2 });
    const short = folderOf({ ...files, "data_batch_3.bin": files["data_batch_3.bin"]!.subarray(0, 3072) });
    expect(() => load(short).train).toThrow(FileFormatError);
    expect(() => load(short).train).toThrow(
      "data_batch_3.bin: 3072 bytes are not a whole number of records of 3073",
    );
    const mislabeled = files["test_batch.bin"]!.slice();
    mislabeled[3073] = 10;
    const wrong = folderOf({ ...files, "test_batch.bin": mislabeled });
    expect(() => load(wrong).test).toThrow("test_batch.bin: label 10 in record 1, expected 0 to 9");
    expect(() => load(folder, true).test).toThrow(
      /test_batch\.bin: not the official cifar10 file: SHA-1 [0-9a-f]{40}, expected 67eb016d.*cifar10\(checksums=false\)/,
    );
    const { "data_batch_4.bin": _, ...incomplete } = files;
    expect(() => load(folderOf(incomplete)).train).toThrow(
      /has no data_batch_4\.bin; run npx sqa data fetch cifar10/,
    );
    expect(() => load(join(parent, "nowhere")).train).toThrow(
      /folder .*nowhere does not exist; run npx sqa data fetch/,
    );
  });

  test("refuses a damaged version for Python, without running it", () => {
    const pickle = (bytes: Uint8Array) =>
      folderOf(pickledFiles((name) => (name === "test_batch" ? bytes : undefined)));
    const read = (bytes: Uint8Array) => () => load(pickle(bytes)).test;
    const whole = pickledFiles().test_batch!;
    expect(read(whole.subarray(0, 5000))).toThrow(
      /test_batch: its pickle is not read: it ends in the middle/,
    );
    expect(read(Buffer.from("\x80\x02}q\x00.", "latin1"))).toThrow(
      /it has no array "data" and no list "labels"/,
    );
    expect(read(Buffer.from("\x80\x02cos\nsystem\nU\x02id\x85R.", "latin1"))).toThrow(
      /it asks for os\.system, which is not allowed/,
    );
    expect(read(cifarPickle("labels", [1, 10], new Uint8Array(6144)))).toThrow(
      /label 10 of image 1, expected 0/,
    );
    expect(read(cifarPickle("labels", [1, 2], new Uint8Array(6142)))).toThrow(
      /shape \[2,3071\] do not fit 2/,
    );
    expect(() => load(pickle(whole), true).test).toThrow(
      /not the official cifar10 file: MD5 .*checksums=false/,
    );
  });
});

/** Files for Python of the small data set, some of them replaced. */
function pickledFiles(replaced: (name: string) => Uint8Array | undefined = () => undefined) {
  const entries = Object.entries(cifarFiles({ train: 20, test: 30 })).map(([file, bytes]) => {
    const name = file.replace(".bin", "");
    const { labels, images } = partsOfRecords(bytes, 1);
    return [name, replaced(name) ?? cifarPickle("labels", labels, images)] as const;
  });
  return Object.fromEntries(entries);
}

describe("the version for Python", () => {
  test("has the images and labels of the binary one", () => {
    const place = writePickledCifar(parent, { train: 20, test: 30 });
    const binary = cifar10({ folder: folderOf(cifarFiles({ train: 20, test: 30 })), checksums: false });
    for (const folder of [place, parent]) {
      const pickled = cifar10({ folder, checksums: false });
      for (const split of ["train", "test"] as const) {
        expect(pickled[split].labels).toEqual(binary[split].labels);
        expect(pickled[split].images).toEqual(binary[split].images);
      }
    }
  });

  test("of CIFAR-100 has the fine labels", () => {
    const binary = writeCifar100(parent);
    const files = Object.fromEntries(
      ["train", "test"].map((name) => {
        const { labels, images } = partsOfRecords(readFileSync(join(binary, `${name}.bin`)), 2);
        return [name, cifarPickle("fine_labels", labels, images)] as const;
      }),
    );
    const folder = folderOf({ ...files, meta: Buffer.from("\x80\x02}.", "latin1") });
    const [pickled, known] = [cifar100({ folder, checksums: false }), cifar100({ folder: binary })];
    expect(pickled.test.labels).toEqual(known.test.labels);
    expect(pickled.train.images).toEqual(known.train.images);
    expect(() => cifar100({ folder }).test).toThrow(/not the official cifar100 file/);
  });
});

/** Folder of the official files, for whoever has them: SQA_CIFAR10=FOLDER. */
const official = process.env.SQA_CIFAR10;
test.skipIf(official === undefined)("the official files are the published data set", () => {
  const { train, test: testSplit } = cifar10({ folder: official as string });
  expect([train.count, testSplit.count]).toEqual([50_000, 10_000]);
  const counts = new Array<number>(10).fill(0);
  for (const label of train.labels) counts[label]! += 1;
  expect(counts).toEqual(new Array(10).fill(5000));
  // The first labels as everybody's tutorials show them: frog, truck, truck, deer, automobile; cat, ship,
  // ship, airplane, frog.
  expect([...train.labels.subarray(0, 5)]).toEqual([6, 9, 9, 4, 1]);
  expect([...testSplit.labels.subarray(0, 5)]).toEqual([3, 8, 8, 0, 6]);
  // The means that everybody normalizes by.
  const sums = [0, 0, 0];
  for (let i = 0; i < train.images.length; i++) sums[Math.floor(i / 1024) % 3]! += train.images[i]!;
  const means = sums.map((sum) => sum / 255 / 50_000 / 1024);
  for (const [channel, mean] of [0.4914, 0.4822, 0.4465].entries())
    expect(means[channel]).toBeCloseTo(mean, 4);
});

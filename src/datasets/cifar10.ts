import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { FileFormatError } from "../base/index.js";
import { defineDataset } from "./dataset.js";
import type { DatasetArchive } from "./fetch-archive.js";
import type { SplitData, SplitName } from "./split.js";

const classNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/** A record: one byte of label, then the red, green and blue planes of 32 x 32 bytes each. */
const imageBytes = 3072;
const recordBytes = 1 + imageBytes;

/** SHA-1 of each official file. */
const checksumOf: Readonly<Record<string, string>> = {
  "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
  "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
  "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
  "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
  "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
  "test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c",
};

/** The official binary archive. */
const cifar10Archive: DatasetArchive = {
  url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
  checksums: checksumOf,
  maxBytes: 2 ** 28,
  maxUnpackedBytes: 2 ** 28,
};

const filesOf: Readonly<Record<SplitName, readonly string[]>> = {
  train: Object.keys(checksumOf).filter((name) => name.startsWith("data_batch")),
  test: ["test_batch.bin"],
};

const remedy =
  "run npx sqa data fetch cifar10, or give a folder that has the official binary files: " +
  "cifar10(folder=FOLDER)";

/** Folder of fetched files: beside other programs' caches. */
export function cifar10CacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sqa", "cifar10");
}

const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

/** Says, as the end of an error's sentence, what a folder has instead of the files. */
function hintAt(folder: string): string {
  const archive = join(folder, "cifar-10-binary.tar.gz");
  if (isFile(archive)) return `; it has the archive, which sqa data fetch cifar10 --to ${folder} unpacks`;
  const pickled = [folder, join(folder, "cifar-10-batches-py")].some((place) =>
    existsSync(join(place, "data_batch_1")),
  );
  if (!pickled) return "";
  return (
    "; it holds the version for Python, whose files (pickle) are programs that run when they are read: " +
    "take the binary version"
  );
}

/**
 * The folder itself, or the one in it that the official archive unpacks to. Throws an Error that says what is
 * missing.
 */
function findFolder(folder: string): string {
  if (!existsSync(folder)) throw new Error(`cifar10: folder ${folder} does not exist; ${remedy}`);
  if (!statSync(folder).isDirectory()) throw new Error(`cifar10: ${folder} is not a folder; ${remedy}`);
  const names = Object.keys(checksumOf);
  // Some unpackers make a folder of the archive's name around the archive's own.
  const places = ["", "cifar-10-batches-bin", join("cifar-10-binary", "cifar-10-batches-bin")];
  const found = places
    .map((place) => join(folder, place))
    .find((place) => isFile(join(place, names[0]!)) || isFile(join(place, names.at(-1)!)));
  if (found === undefined)
    throw new Error(`cifar10: folder ${folder} has no data_batch_1.bin${hintAt(folder)}; ${remedy}`);
  const missing = names.filter((name) => !isFile(join(found, name)));
  if (missing.length > 0) throw new Error(`cifar10: folder ${found} has no ${missing.join(", ")}; ${remedy}`);
  return found;
}

/** One file's records, their number and labels checked, with `checksums` their SHA-1 too. */
function readRecords(file: string, checksum: string | undefined): Uint8Array {
  const bytes = readFileSync(file);
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new FileFormatError(
      `${file}: ${bytes.length} bytes are not a whole number of records of ${recordBytes} bytes: ` +
        "truncated or damaged",
    );
  }
  for (let at = 0; at < bytes.length; at += recordBytes) {
    if (bytes[at]! < classNames.length) continue;
    throw new FileFormatError(
      `${file}: label ${bytes[at]} in record ${at / recordBytes}, expected 0 to ${classNames.length - 1}`,
    );
  }
  if (checksum === undefined) return bytes;
  const found = createHash("sha1").update(bytes).digest("hex");
  if (found === checksum) return bytes;
  throw new FileFormatError(
    `${file}: not the official cifar10 file: SHA-1 ${found}, expected ${checksum}; ` +
      "to use it all the same, give cifar10(checksums=false)",
  );
}

function readSplit(folder: string, split: SplitName, checksums: boolean): SplitData {
  const place = findFolder(folder);
  const files = filesOf[split].map((name) =>
    readRecords(join(place, name), checksums ? checksumOf[name] : undefined),
  );
  const count = files.reduce((sum, bytes) => sum + bytes.length / recordBytes, 0);
  const images = new Uint8Array(count * imageBytes);
  const labels = new Uint8Array(count);
  let index = 0;
  for (const bytes of files) {
    for (let at = 0; at < bytes.length; at += recordBytes, index++) {
      labels[index] = bytes[at]!;
      images.set(bytes.subarray(at + 1, at + recordBytes), index * imageBytes);
    }
  }
  return { images, labels, count };
}

/**
 * CIFAR-10: 50,000 training and 10,000 test color images of ten classes, (3, 32, 32).
 *
 * Out of the official archive's binary files in `folder`, by default the one that `sqa data fetch cifar10`
 * fills. Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
 */
export const cifar10 = defineDataset("cifar10", {
  summary: "animals and vehicles, 50,000 + 10,000 color images of 32 x 32",
  options: z.strictObject({
    folder: z.string().min(1).optional().describe("folder with the official binary files"),
    checksums: z.boolean().default(true).describe("refuse files other than the official ones"),
  }),
  classNames,
  imageShape: [3, 32, 32],
  statistics: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  epsilon: 8 / 255,
  locate: ({ folder = cifar10CacheFolder() }) => findFolder(folder),
  read: ({ folder = cifar10CacheFolder(), checksums }, split) => readSplit(folder, split, checksums),
  get archive() {
    return { ...cifar10Archive, folder: cifar10CacheFolder() };
  },
});

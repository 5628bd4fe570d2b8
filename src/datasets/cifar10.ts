import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { readCifar } from "./cifar-records.js";
import { defineDataset } from "./dataset.js";
import type { DatasetArchive } from "./fetch-archive.js";
import type { MemoryData, SplitName } from "./split.js";

const classNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

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

function readSplit(folder: string, split: SplitName, checksums: boolean): MemoryData {
  const place = findFolder(folder);
  const files = filesOf[split].map((name) => {
    return { path: join(place, name), checksum: checksums ? checksumOf[name] : undefined };
  });
  return readCifar(files, { name: "cifar10", labelBytes: 1, classes: classNames.length });
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

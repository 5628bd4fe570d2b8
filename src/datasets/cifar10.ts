import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { MissingFileError } from "../base/index.js";
import { cacheFolder } from "./cache-folder.js";
import { readCifarPickles } from "./cifar/cifar-pickles.js";
import { readCifar } from "./cifar/cifar-records.js";
import { defineDataset } from "./dataset.js";
import type { DatasetArchive } from "./fetching/fetch-archive.js";
import { isFile } from "./sources/regular-file.js";
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

/** MD5 of each official file for Python, as torchvision knows them. */
const pickleChecksumOf: Readonly<Record<string, string>> = {
  data_batch_1: "c99cafc152244af753f735de768cd75f",
  data_batch_2: "d4bba439e000b95fd0a9bffe97cbabec",
  data_batch_3: "54ebc095f3ab1f0389bbae665268c751",
  data_batch_4: "634d18415352ddfa80567beed471001a",
  data_batch_5: "482c414d41f54cd18b22e5b47cb7c3cb",
  test_batch: "40351d587109b95175f43aff81a1287e",
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
  "run npx sqa data fetch cifar10, or give a folder that has the official files, binary or for Python: " +
  "cifar10(folder=FOLDER)";

/** Folder of fetched files. */
const fetchedFolder = () => cacheFolder("cifar10");

/** Says, as the end of an error's sentence, what a folder has instead of the files. */
function hintAt(folder: string): string {
  const archive = join(folder, "cifar-10-binary.tar.gz");
  if (isFile(archive)) return `; it has the archive, which sqa data fetch cifar10 --to ${folder} unpacks`;
  return "";
}

/** Files of the version for Python in a folder, or in the one that torchvision makes there. */
function pickledFolder(folder: string): string | undefined {
  return [folder, join(folder, "cifar-10-batches-py")].find((place) =>
    Object.keys(pickleChecksumOf).some((name) => isFile(join(place, name))),
  );
}

/**
 * The folder itself, or the one in it that the official archive unpacks to. Throws an Error that says what is
 * missing.
 */
function findFolder(folder: string): string {
  if (!existsSync(folder)) throw new MissingFileError(`cifar10: folder ${folder} does not exist; ${remedy}`);
  if (!statSync(folder).isDirectory()) throw new Error(`cifar10: ${folder} is not a folder; ${remedy}`);
  const names = Object.keys(checksumOf);
  // Some unpackers make a folder of the archive's name around the archive's own.
  const places = ["", "cifar-10-batches-bin", join("cifar-10-binary", "cifar-10-batches-bin")];
  const found = places
    .map((place) => join(folder, place))
    .find((place) => isFile(join(place, names[0]!)) || isFile(join(place, names.at(-1)!)));
  const pickled = found === undefined ? pickledFolder(folder) : undefined;
  const place = found ?? pickled;
  if (place === undefined)
    throw new Error(`cifar10: folder ${folder} has no data_batch_1.bin${hintAt(folder)}; ${remedy}`);
  const wanted = pickled === undefined ? names : Object.keys(pickleChecksumOf);
  const missing = wanted.filter((name) => !isFile(join(place, name)));
  if (missing.length > 0) throw new Error(`cifar10: folder ${place} has no ${missing.join(", ")}; ${remedy}`);
  return place;
}

function readSplit(folder: string, split: SplitName, checksums: boolean): MemoryData {
  const place = findFolder(folder);
  const form = { name: "cifar10", labelBytes: 1, labels: "labels", classes: classNames.length };
  const isPickled = !isFile(join(place, "test_batch.bin"));
  const official = isPickled ? pickleChecksumOf : checksumOf;
  const files = filesOf[split].map((binary) => {
    const name = isPickled ? binary.replace(".bin", "") : binary;
    return { path: join(place, name), checksum: checksums ? official[name] : undefined };
  });
  return isPickled ? readCifarPickles(files, form) : readCifar(files, form);
}

/**
 * CIFAR-10: 50,000 training and 10,000 test color images of ten classes, (3, 32, 32).
 *
 * Out of the official files in `folder`, by default the one that `sqa data fetch cifar10` fills: the binary
 * ones, or those for Python that torchvision leaves, whose pickles are read and never executed.
 *
 * Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
 */
export const cifar10 = defineDataset("cifar10", {
  summary: "animals and vehicles, 50,000 + 10,000 color images of 32 x 32",
  options: z.strictObject({
    folder: z
      .string()
      .min(1)
      .optional()
      .describe("folder with the official files, binary or for Python (cifar-10-batches-py)"),
    checksums: z.boolean().default(true).describe("refuse files other than the official ones"),
  }),
  classNames,
  imageShape: [3, 32, 32],
  statistics: { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  epsilon: 8 / 255,
  locate: ({ folder = fetchedFolder() }) => findFolder(folder),
  read: ({ folder = fetchedFolder(), checksums }, split) => readSplit(folder, split, checksums),
  get archive() {
    return { ...cifar10Archive, folder: fetchedFolder() };
  },
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { MissingFileError } from "../base/index.js";
import { cacheFolder } from "./cache-folder.js";
import { readCifarPickles } from "./cifar/cifar-pickles.js";
import { readCifar } from "./cifar/cifar-records.js";
import { defineDataset } from "./dataset.js";
import { isFile } from "./sources/regular-file.js";
import type { SplitName } from "./split.js";

/** Fine classes, in the order of their numbers. */
const classNames = [
  "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly",
  "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup",
  "dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower",
  "leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid",
  "otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray",
  "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar",
  "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle",
  "wardrobe whale willow_tree wolf woman worm",
]
  .join(" ")
  .split(" ");

const fileOf: Readonly<Record<SplitName, string>> = { train: "train.bin", test: "test.bin" };

/** Folder of the version for Python, and the MD5 of its files, as torchvision knows them. */
const pickleFolder = "cifar-100-python";
const pickleChecksumOf: Readonly<Record<SplitName, string>> = {
  train: "16019d7e3df5f24257cddd939b257f8d",
  test: "f0ef6b0ae62326f3e7ffdfab6717acfc",
};

const remedy =
  "download https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz, unpack it, and give its folder: " +
  "cifar100(folder=FOLDER)";

const usualFolder = () => cacheFolder("cifar100");

/** The folder itself, or the one in it that the official archive unpacks to. */
function findFolder(folder: string): string {
  if (!existsSync(folder)) throw new MissingFileError(`cifar100: folder ${folder} does not exist; ${remedy}`);
  const places = ["", "cifar-100-binary", join("cifar-100-binary", "cifar-100-binary")];
  const found = places
    .map((place) => join(folder, place))
    .find((place) => Object.values(fileOf).every((name) => isFile(join(place, name))));
  if (found !== undefined) return found;
  const pickled = [folder, join(folder, pickleFolder)].find((place) =>
    ["meta", ...Object.keys(fileOf)].every((name) => isFile(join(place, name))),
  );
  if (pickled !== undefined) return pickled;
  throw new Error(`cifar100: folder ${folder} has no train.bin and test.bin; ${remedy}`);
}

/**
 * CIFAR-100: 50,000 training and 10,000 test color images of a hundred classes, (3, 32, 32).
 *
 * Out of the official files in `folder`, binary or for Python, whose pickles are never executed; of the two
 * labels of an image the fine one counts.
 *
 * Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
 */
export const cifar100 = defineDataset("cifar100", {
  summary: "things of 100 classes, 50,000 + 10,000 color images of 32 x 32",
  options: z.strictObject({
    folder: z
      .string()
      .min(1)
      .optional()
      .describe("folder with the official files, binary or for Python (cifar-100-python)"),
    checksums: z.boolean().default(true).describe("refuse files for Python other than the official ones"),
  }),
  classNames,
  imageShape: [3, 32, 32],
  statistics: { mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  epsilon: 8 / 255,
  locate: ({ folder = usualFolder() }) => findFolder(folder),
  read({ folder = usualFolder(), checksums }, split) {
    const place = findFolder(folder);
    const form = { name: "cifar100", labelBytes: 2, labels: "fine_labels", classes: classNames.length };
    const path = join(place, fileOf[split]);
    if (isFile(path)) return readCifar([{ path }], form);
    const checksum = checksums ? pickleChecksumOf[split] : undefined;
    return readCifarPickles([{ path: join(place, split), checksum }], form);
  },
});

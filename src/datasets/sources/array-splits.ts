import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FileFormatError, shownName } from "../../base/index.js";
import { fileBytes, type NpyArray, openNpy, openNpz } from "../../files/index.js";
import type { SplitName } from "../split.js";
import { splitFolders } from "./image-folder.js";

/** Images and labels of a split, as arrays. */
export interface ArrayPair {
  readonly images: NpyArray;
  readonly labels: NpyArray;
}

export type ArrayPairs = Partial<Readonly<Record<SplitName, ArrayPair>>>;

const imageNames = ["images", "image", "x", "data", "pixels", "imgs"];
const labelNames = ["labels", "label", "y", "targets", "target", "classes"];

/** Names of a split's arrays that are in use, such as `x_train`, `train_images` and `X_train`. */
const inSplit = (names: readonly string[], split: string) =>
  names.flatMap((name) => [`${name}_${split}`, `${split}_${name}`]);

/** Arrays of a `.npz` archive, by the given names or by those in use; a FileFormatError lists what it has. */
export function pairsInNpz(
  path: string,
  given: { readonly images?: string | undefined; readonly labels?: string | undefined },
): ArrayPairs {
  const arrays = openNpz(fileBytes(path));
  const names = [...arrays.keys()];
  const listed = names.length === 0 ? "no arrays" : names.slice(0, 20).map(shownName).join(", ");
  const has = `${path}: it has ${listed}`;
  const find = (candidates: readonly string[]) => {
    const found = candidates
      .map((candidate) => names.find((name) => name.toLowerCase() === candidate))
      .find((name) => name !== undefined);
    return found === undefined ? undefined : arrays.get(found)!;
  };
  if (given.images !== undefined || given.labels !== undefined) {
    const named = (name: string | undefined, usual: readonly string[], option: string) => {
      const found = name === undefined ? find(usual) : arrays.get(name);
      if (found !== undefined) return found();
      throw new FileFormatError(`${has}, and no ${option} ${shownName(name ?? usual[0]!)}`);
    };
    return {
      test: {
        images: named(given.images, imageNames, "images"),
        labels: named(given.labels, labelNames, "labels"),
      },
    };
  }
  const pairOf = (images: readonly string[], labels: readonly string[]) => {
    const [x, y] = [find(images), find(labels)];
    return x === undefined || y === undefined ? undefined : { images: x(), labels: y() };
  };
  // Images of a name with labels of the same: competitions give no labels to test on.
  const ofSplit = (split: SplitName) =>
    splitFolders[split]
      .map((name) => pairOf(inSplit(imageNames, name), inSplit(labelNames, name)))
      .find((pair) => pair !== undefined);
  const [train, test] = [ofSplit("train"), ofSplit("test")];
  if (test !== undefined || train !== undefined) return { ...(train && { train }), ...(test && { test }) };
  const only = pairOf(imageNames, labelNames);
  if (only !== undefined) return { test: only };
  throw new FileFormatError(
    `${has}; expected images and labels, or x and y: say which they are, npz(path=PATH, images=x, labels=y)`,
  );
}

/** Labels' file beside the images' one, by the names in use. */
function labelFileBeside(path: string): string | undefined {
  const name = basename(path);
  const candidates = imageNames.flatMap((image, i) => {
    const at = name.toLowerCase().lastIndexOf(image);
    const label = labelNames[[0, 1, 2, 3, 0, 0][i]!]!;
    const others = [label, "labels", "y", "targets"];
    return at < 0 ? [] : others.map((other) => name.slice(0, at) + other + name.slice(at + image.length));
  });
  return candidates
    .filter((candidate) => candidate !== name)
    .map((candidate) => join(dirname(path), candidate))
    .find((candidate) => existsSync(candidate));
}

/** Arrays of a `.npy` file of images and another of labels. */
export function pairInNpy(path: string, labels: string | undefined): ArrayPairs {
  const images = openNpy(fileBytes(path));
  const labelFile = labels ?? labelFileBeside(path);
  if (labelFile === undefined) {
    throw new FileFormatError(
      `${path}: its labels are not found beside it: npz(path=images.npy, labels=labels.npy) names their file`,
    );
  }
  return { test: { images, labels: openNpy(fileBytes(labelFile)) } };
}

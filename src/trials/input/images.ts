import { checkNumber, countText, isObject } from "../../base/index.js";
import { checkSplit, type Dataset, type Split, subset } from "../../datasets/index.js";
import { areNumbers, classOrderFault } from "../../models/index.js";
import type { Classifier } from "../../nn/index.js";
import type { OpenedModel } from "./attackable.js";

/** Split of images and labels, or a data set, which means its test split. */
export type ImageSource = Split | Dataset;

function isDataset(given: unknown): given is Dataset {
  return isObject(given) && "test" in given && "train" in given;
}

/** Split of what was given, whose first `limit` images are used; all where `limit` is left out. */
export function splitFrom(given: ImageSource, limit?: number): Split {
  const split = isDataset(given) ? given.test : given;
  checkSplit(split);
  const { name, count } = split;
  if (count === 0) throw new RangeError(`${name ?? "images"}: there must be at least one image`);
  checkContent(split);
  if (limit === undefined) return split;
  checkNumber("limit", limit, "a whole number >= 1", Number.isInteger(limit) && limit >= 1);
  if (limit > count)
    throw new RangeError(`limit: ${name} has ${count} images, not ${limit}; give ${count} at most`);
  return subset(split, limit);
}

/** RangeError unless pixels and labels are as many as the images. */
function checkContent({ name, stored, labels, count, imageShape, ...split }: Split): void {
  const [channels, height, width] = imageShape;
  const pixels = count * channels * height * width;
  const found = stored === undefined ? split.images.length : count * stored.imageSize;
  if (found !== pixels) {
    throw new RangeError(
      `${name}: ${found} pixels, expected ${pixels} for ${countText(count, "image")} of ` +
        `[${imageShape.join(", ")}]`,
    );
  }
  if (labels.length !== count)
    throw new RangeError(`${name}: ${count} images have ${count} labels, not ${labels.length}`);
}

/** RangeError where a class of one name is another in two lists of them, which have names and no numbers. */
function checkOrder(
  names: readonly string[] | undefined,
  others: readonly string[] | undefined,
  shown: readonly [string, string],
): void {
  if (names === undefined || others === undefined || areNumbers(names) || areNumbers(others)) return;
  const fault = classOrderFault([shown[0], names], [shown[1], others]);
  if (fault !== undefined) throw new RangeError(fault);
}

/**
 * RangeError unless a split's images are of the model's shape and in [0, 1], and its labels within its
 * classes, of which those with the same names have the same numbers.
 */
export function checkImagesFit(split: Split, { name, classifier, model }: OpenedModel): void {
  const { labels, imageShape } = split;
  const { inputShape, classes } = classifier;
  checkOrder(model?.classNames, split.classNames, [`model ${name}`, split.name]);
  if (imageShape.join() !== inputShape.join()) {
    const [wanted, given] = [inputShape, imageShape].map((shape) => `[${shape.join(", ")}]`);
    throw new RangeError(`model ${name} takes images of shape ${wanted}; ${split.name} has ${given}`);
  }
  const outside = labels.findIndex((label: number) => !(label >= 0 && label < classes));
  if (outside >= 0) {
    const given = `${split.name}: label ${labels[outside]} of image ${outside}`;
    throw new RangeError(`${given} is not a class of model ${name}, which has classes 0 .. ${classes - 1}`);
  }
  // Those that lie in files are checked when they are prepared.
  if (split.stored !== undefined) return;
  const { images } = split;
  if (!(images instanceof Float32Array)) return;
  const pixel = images.findIndex((value) => !(value >= 0 && value <= 1));
  if (pixel < 0) return;
  throw new RangeError(`${split.name}: pixel ${images[pixel]} is not in [0, 1]; divide bytes by 255`);
}

/** RangeError unless another model takes the images of the model and has its classes, in its order. */
export function checkSameForm(what: string, opened: OpenedModel, of: OpenedModel): void {
  const [other, model] = [opened.classifier, of.classifier];
  checkOrder(of.model?.classNames, opened.model?.classNames, [`model ${of.name}`, what]);
  if (other.inputShape.join() === model.inputShape.join() && other.classes === model.classes) return;
  const form = ({ inputShape, classes }: Classifier) =>
    `images of [${inputShape.join(", ")}] and ${classes} classes`;
  throw new RangeError(`${what} takes ${form(other)}; the model ${form(model)}`);
}

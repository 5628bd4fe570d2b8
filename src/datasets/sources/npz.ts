import { dirname, join } from "node:path";
import * as z from "zod";
import { countText, FileFormatError } from "../../base/index.js";
import { type NpyArray, npyNumbers } from "../../files/index.js";
import type { ImageShape } from "../../models/index.js";
import { defineSource } from "../dataset.js";
import { ArrayImages, type Layout } from "../pixels/array-images.js";
import type { SplitData, SplitName } from "../split.js";
import { type ArrayPair, pairInNpy, pairsInNpz } from "./array-splits.js";
import { checkClassCount, classNamesFrom, namesByNumber } from "./class-names.js";
import { labelArray, pathOf, sourceOf, sourceOptions } from "./source.js";

const mostSide = 4096;
const mostImages = 20_000_000;
/** More classes than these are no class numbers. */
const mostLabel = 99_999;

/** Shape of an array's images and the order of its axes. */
function formOf(
  { name, shape }: NpyArray,
  given: Layout | undefined,
): { readonly count: number; readonly imageShape: ImageShape; readonly layout: Layout } {
  const shown = `[${shape.join(", ")}]`;
  const [count = 0, a = 0, b = 0, c = 0] = shape;
  const checked = (layout: Layout, imageShape: ImageShape) => {
    const fits = imageShape.every((side) => side >= 1 && side <= mostSide);
    if (fits && count >= 1 && count <= mostImages) return { count, imageShape, layout };
    throw new FileFormatError(`${name}: an array of shape ${shown} holds no images`);
  };
  if (shape.length === 3) return checked("nchw", [1, a, b]);
  if (shape.length !== 4) {
    throw new FileFormatError(
      `${name}: shape ${shown}, expected (images, rows, columns, channels), ` +
        "(images, channels, rows, columns) or (images, rows, columns)",
    );
  }
  const isChannels = (side: number) => side === 1 || side === 3;
  if (given === undefined && isChannels(a) && isChannels(c)) {
    throw new FileFormatError(
      `${name}: shape ${shown} can be read in two ways: give layout=nhwc or layout=nchw`,
    );
  }
  const layout = given ?? (isChannels(c) ? "nhwc" : "nchw");
  const imageShape: ImageShape = layout === "nhwc" ? [c, a, b] : [a, b, c];
  if (isChannels(imageShape[0])) return checked(layout, imageShape);
  throw new FileFormatError(`${name}: shape ${shown} has no axis of 1 or 3 channels`);
}

function checkPixelType({ name, type }: NpyArray): void {
  if (type !== "|b1") return;
  throw new FileFormatError(`${name}: its pixels are true or false: save (array * 255).astype("uint8")`);
}

/** Class numbers of as many labels as there are images. */
function labelsOf(labels: NpyArray, count: number): Int32Array {
  const { name, shape, type } = labels;
  if (shape[0] !== count || labels.size !== count) {
    const oneHot = shape.length === 2 && shape[0] === count ? "; save array.argmax(axis=1)" : "";
    throw new FileFormatError(
      `${name}: shape [${shape.join(", ")}], expected ${countText(count, "label")}, one for each ` +
        `image${oneHot}`,
    );
  }
  if (type === "|b1") throw new FileFormatError(`${name}: labels are true or false: save them as integers`);
  const numbers = npyNumbers(labels);
  const wrong = numbers.findIndex((value) => !(Number.isInteger(value) && value >= 0 && value <= mostLabel));
  if (wrong < 0) return Int32Array.from(numbers);
  throw new FileFormatError(
    `${name}: label ${numbers[wrong]} of image ${wrong} is no class number in 0 .. ${mostLabel}`,
  );
}

/** Classes that labels name; FileFormatError for a label beyond names that are given. */
function classesOf(
  given: string | undefined,
  place: string,
  labels: readonly Int32Array[],
): readonly string[] {
  const found = new Set(labels.flatMap((one) => [...new Set(one)]));
  const last = [...found].reduce((most, label) => Math.max(most, label), 0);
  const names = classNamesFrom(given, [join(dirname(place), "classes.txt")], () =>
    namesByNumber(found, place),
  );
  checkClassCount(names.length, place);
  if (last < names.length) return names;
  throw new FileFormatError(`${place}: label ${last} is not in 0 .. ${names.length - 1}, the classes named`);
}

/**
 * Arrays of NumPy: a `.npz` archive with images and labels (also `x_train`, `y_train`, `x_test`, `y_test`),
 * or a `.npy` of images beside one of labels. Read in parts; what `numpy.savez_compressed` wrote is unpacked.
 */
export const npz = defineSource("npz", {
  summary: "NumPy arrays of images and labels: .npz, or .npy with another .npy of labels",
  options: z.strictObject({
    ...sourceOptions,
    images: z
      .string()
      .min(1)
      .optional()
      .describe("name of the array of images (default: images, x and the like)"),
    labels: z
      .string()
      .min(1)
      .optional()
      .describe("name of the array of labels, or of the .npy file (default: labels, y and the like)"),
    layout: z
      .enum(["nhwc", "nchw"])
      .optional()
      .describe("order of images, rows, columns and channels (default: told by the axis of 1 or 3)"),
    white: z
      .union([z.literal(1), z.literal(255)])
      .default(1)
      .meta({ accepted: "1 or 255" })
      .describe("number that stands for white in arrays of floats; in integers it is 255"),
  }),
  open({ path: given, classes, test: testShare, images, labels, layout, white }) {
    const name = "npz";
    const place = pathOf(given, name);
    const pairs = /\.npy$/i.test(place) ? pairInNpy(place, labels) : pairsInNpz(place, { images, labels });
    const read = (Object.entries(pairs) as [SplitName, ArrayPair][]).map(([split, pair]) => {
      checkPixelType(pair.images);
      const form = formOf(pair.images, layout);
      return { split, array: pair.images, form, labels: labelsOf(pair.labels, form.count) };
    });
    const classNames = classesOf(
      classes,
      place,
      read.map((one) => one.labels),
    );
    const { imageShape } = read[0]!.form;
    const other = read.find(({ form, array }) => {
      return form.imageShape.join() !== imageShape.join() || array.type !== read[0]!.array.type;
    });
    if (other !== undefined)
      throw new FileFormatError(`${place}: images to train on and to test on have two shapes or types`);
    const splits: Partial<Record<SplitName, SplitData>> = {};
    for (const { split, array, form, labels: numbers } of read) {
      splits[split] = {
        stored: new ArrayImages(array, imageShape, { layout: form.layout, white }, split),
        labels: labelArray(numbers, classNames.length),
        count: form.count,
      };
    }
    return sourceOf({ name, place, imageShape, classNames, splits, testShare });
  },
});

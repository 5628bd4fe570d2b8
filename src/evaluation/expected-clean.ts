import { checkKind, checkNumber } from "../base/index.js";
import { shareText } from "../report/index.js";
import type { Accuracy } from "../trials/index.js";

/** Accuracies are told in whole percents: half of one is no difference. */
const rounding = 0.005;

const causesOfLess =
  "usual causes: the normalization is missing or stands twice, in the model and in the images; " +
  "red and blue are exchanged, or rows and columns; classes are in another order than the model's; " +
  "images are resized or cropped otherwise than in training";

const causesOfMore =
  "usual causes: the model was trained on these images, or they are easier than those of the known figure; " +
  "the known figure was measured wrongly, such as without normalization";

/** The accuracy on clean images is not the one that was expected: the model and the images do not fit. */
export class UnexpectedAccuracyError extends Error {
  override readonly name = "UnexpectedAccuracyError";
}

/** RangeError for an expected accuracy that is none. */
export function checkShare(expected: number | undefined): void {
  if (expected === undefined) return;
  checkKind("expectClean", expected, "a number such as 0.76", typeof expected === "number");
  checkNumber("expectClean", expected, "a share in (0, 1], such as 0.76", expected > 0 && expected <= 1);
}

/**
 * Throws an UnexpectedAccuracyError, with the usual causes, where an expected clean accuracy lies outside of
 * the 95 % interval of the measured one by more than its rounding; nothing is expected where it is undefined.
 */
export function checkExpectedClean(
  expected: number | undefined,
  { accuracy, low, high }: Accuracy,
  { model, images }: { readonly model: string; readonly images: number },
): void {
  if (expected === undefined) return;
  if (expected >= low - rounding && expected <= high + rounding) return;
  throw new UnexpectedAccuracyError(
    `${model} classifies ${shareText(accuracy)} of ${images} clean images correctly (95 % interval ` +
      `${shareText(low)} to ${shareText(high)}), and ${shareText(expected)} were expected; ` +
      (expected > high ? causesOfLess : causesOfMore),
  );
}

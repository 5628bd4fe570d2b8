import { checkKind, checkNumber } from "../base/index.js";
import { operators as ops, Tensor } from "../engine/index.js";

/** A loss of each image: logits (N, classes) and labels int64 (N) to losses (N), higher when more wrong. */
export type Loss = (logits: Tensor, labels: Tensor) => Tensor;

/** The numbers of libtorch's reductions. */
const reduction = { none: 0, mean: 1 } as const;

/** Cross-entropy of each image (N). */
export const crossEntropy: Loss = (logits, labels) =>
  ops.crossEntropyLoss(logits, labels, undefined, reduction.none);

/**
 * Mean cross-entropy, a scalar; `labelSmoothing` s in [0, 1] mixes the labels with s of the uniform
 * distribution.
 */
export function meanCrossEntropy(logits: Tensor, labels: Tensor, labelSmoothing = 0): Tensor {
  checkNumber("labelSmoothing", labelSmoothing, "in [0, 1]", labelSmoothing >= 0 && labelSmoothing <= 1);
  return ops.crossEntropyLoss(logits, labels, undefined, reduction.mean, undefined, labelSmoothing);
}

function checkTensor(name: string, given: Tensor): void {
  checkKind(name, given, "a tensor", given instanceof Tensor);
}

function classLogit(logits: Tensor, classes: Tensor): Tensor {
  return logits.gather(1, classes.unsqueeze(1)).squeeze(1);
}

/**
 * Best other logit minus the label's logit (N): positive when misclassified (Carlini and Wagner 2017, f6
 * unclipped).
 */
export const margin: Loss = (logits, labels) => {
  checkTensor("logits", logits);
  checkTensor("labels", labels);
  const others = logits.scatterValue(1, labels.unsqueeze(1), Number.NEGATIVE_INFINITY);
  return others.amax([1]).sub(classLogit(logits, labels));
};

/** Least divisor of a ratio of logits, where the largest are all alike. */
// paper: the authors' code adds 1e-12 to every divisor, so that the ratio falls with the scale of tiny
// logits.
const leastSpread = 1e-30;

/**
 * Difference of logits ratio (N): -(z_y - max_{i != y} z_i) / (z_(1) - z_(3)), with z_(k) the k-th largest
 * logit (Croce and Hein 2020, eq. 6). Needs three classes or more.
 */
export const dlr: Loss = (logits, labels) => {
  checkTensor("logits", logits);
  const classes = logits.shape[1]!;
  if (classes < 3) throw new RangeError(`the DLR loss needs 3 classes or more, not ${classes}`);
  const [top] = logits.topk(3, 1);
  const spread = top.select(1, 0).sub(top.select(1, 2)).clamp(leastSpread);
  return margin(logits, labels).div(spread);
};

/**
 * A loss that leads to `targets`, int64 (N), and away from the labels: higher when nearer to the target
 * class.
 */
export type TargetedLoss = (logits: Tensor, labels: Tensor, targets: Tensor) => Tensor;

/**
 * Targeted difference of logits ratio (N): -(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2) (Croce and Hein 2020,
 * eq. 7). Needs four classes or more.
 */
export const targetedDlr: TargetedLoss = (logits, labels, targets) => {
  checkTensor("logits", logits);
  const classes = logits.shape[1]!;
  if (classes < 4) throw new RangeError(`the targeted DLR loss needs 4 classes or more, not ${classes}`);
  const [top] = logits.topk(4, 1);
  const middle = top.select(1, 2).add(top.select(1, 3)).div(2);
  return targetedMargin(logits, labels, targets).div(top.select(1, 0).sub(middle).clamp(leastSpread));
};

const targetedMargin: TargetedLoss = (logits, labels, targets) =>
  classLogit(logits, targets).sub(classLogit(logits, labels));

/** Losses by the name that options use. */
export const losses = { "cross-entropy": crossEntropy, margin, dlr } as const;
export type LossName = keyof typeof losses;

/** The targeted form of each loss. */
export const targetedLosses: Readonly<Record<LossName, TargetedLoss>> = {
  "cross-entropy": (logits, _, targets) => crossEntropy(logits, targets).neg(),
  margin: targetedMargin,
  dlr: targetedDlr,
};

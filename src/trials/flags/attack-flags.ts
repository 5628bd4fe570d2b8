import type { Attack, TakenGradient } from "../../attacks/index.js";
import type { Seed } from "../../base/index.js";
import { type Batch, partsOfBatch } from "../../datasets/index.js";
import { enableGrad, grad, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import type { TrialResult } from "../batch-record.js";
import type { Counts } from "../counts/answers.js";
import { wilson } from "../counts/interval.js";
import type { Flag } from "./flag.js";

/** Images that an attack's first gradient is examined on. */
export const gradientImages = 100;

/**
 * Share of images without a gradient above which an attack is flagged: far above what models without a
 * defense show.
 */
const manyImages = 0.1;

/** Ends an attack once its first gradient was seen. */
class SeenGradient extends Error {
  constructor(readonly counts: GradientCounts) {
    super("the first gradient was seen");
  }
}

/** Images of a first gradient. */
interface GradientCounts {
  /** All of them: an attack may leave images out that are misclassified already. */
  readonly images: number;
  /** Those for which the loss has no slope in the logits, and those that have no gradient. */
  readonly lossless: number;
  readonly gradientless: number;
}

/** Images whose row of values is zero throughout. */
function zeroRows(values: Tensor): number {
  return values.flatten(1).abs().amax([1]).eq(0).to("float32").sum().item();
}

/** The same classifier without passes of its own, whose graphs would be recorded for a single gradient. */
function withoutOwnPass(classifier: Classifier): Classifier {
  const { inputShape, classes, randomized } = classifier;
  return {
    inputShape,
    classes,
    randomized,
    logits: (images, noise) => classifier.logits(images, noise),
    get surrogates() {
      return classifier.surrogates ?? {};
    },
    get levels() {
      const { levels } = classifier;
      return levels && { ...levels, behind: withoutOwnPass(levels.behind) };
    },
  };
}

/** Ends an attack at a gradient that it has taken, and counts the images without one. */
function endAt({ gradient, logits, loss }: TakenGradient): never {
  const slopes = enableGrad(() => {
    const at = logits.detach().requireGrad();
    return grad(loss(at).sum(), [at], { unused: "zeros" })[0]!;
  });
  const [lossless, gradientless] = [slopes, gradient].map(zeroRows);
  throw new SeenGradient({ images: gradient.shape[0]!, lossless: lossless!, gradientless: gradientless! });
}

/**
 * Flag of an attack that goes by gradients alone where the first gradient that it takes is zero for many of
 * its images, on a batch of clean ones, of which at most `batchSize` pass together. The remedy depends on
 * where gradients end: in the loss, or in the model.
 */
export function gradientFlag(
  attack: Attack,
  classifier: Classifier,
  batch: Batch,
  seed: Seed,
  batchSize: number,
): Flag | undefined {
  const { usesGradients, searchesToo } = attack.traits;
  if (!usesGradients || searchesToo === true) return undefined;
  const seen = { images: 0, lossless: 0, gradientless: 0 };
  for (const part of partsOfBatch(batch, batchSize)) {
    const first = firstGradient(attack, classifier, part, seed);
    if (first === "failed") return undefined;
    seen.images += first?.images ?? 0;
    seen.lossless += first?.lossless ?? 0;
    seen.gradientless += first?.gradientless ?? 0;
  }
  return seen.images === 0 ? undefined : flagOf(attack, seen);
}

/** Counts of the first gradient that an attack takes; undefined where it takes none. */
function firstGradient(
  attack: Attack,
  classifier: Classifier,
  { images, labels, imageIds }: Batch,
  seed: Seed,
): GradientCounts | "failed" | undefined {
  try {
    scope(() => attack(withoutOwnPass(classifier), images, labels, { seed, imageIds, onGradient: endAt }));
  } catch (error) {
    // Errors of the attack are told by its own row.
    return error instanceof SeenGradient ? error.counts : "failed";
  }
  return undefined;
}

function flagOf(attack: Attack, { images: count, lossless, gradientless }: GradientCounts): Flag | undefined {
  const share = (zeros: number) => wilson(zeros, count).low;
  const name = String(attack);
  if (share(lossless) > manyImages) {
    return {
      kind: "vanishing-gradients",
      attack: name,
      message:
        `the gradient of the loss of ${name} is zero for ${lossless} of ${count} images, so its accuracy ` +
        "says little: attack with loss=margin, or divide the logits, temperature(..., value=10)",
    };
  }
  if (share(gradientless) > manyImages) {
    return {
      kind: "blocked-gradients",
      attack: name,
      message:
        `the model passes no gradient back to ${name} for ${gradientless} of ${count} images, so its ` +
        "accuracy says little: attack a surrogate, or without gradients (square), and audit the model",
    };
  }
  return undefined;
}

/** Longest perturbation that counts as none: rounding of float32 changes pixels in [0, 1] as much. */
const noChange = 1e-6;

/** Length of all steps of an attack together, apart from a random start; infinite where it has no steps. */
function stepsLength({ options }: Attack): number {
  const { steps, stepSize } = options as Record<string, unknown>;
  return typeof steps === "number" && typeof stepSize === "number"
    ? steps * stepSize
    : Number.POSITIVE_INFINITY;
}

/**
 * Flag of an attack that gave back every image as it was, or as its random start made it, though the model
 * answers some of them correctly.
 */
export function changedNothingFlag(
  { trial, answers, lengths }: TrialResult,
  clean: Counts,
): Flag | undefined {
  const { correct } = clean;
  const standing = lengths.filter((_, i) => correct[i]! > 0);
  const stays = stepsLength(trial.attack!) <= noChange;
  if (standing.length === 0 || (standing.some((length) => length > noChange) && !stays)) return undefined;
  const name = String(trial.attack);
  const least = standing.some((length) => length > 0) ? ` by more than ${noChange}` : "";
  const found = stays
    ? `all steps of ${name} together are no longer than ${noChange}, so it ends where it began`
    : `${name} changed none of ${answers.images} images${least}`;
  return {
    kind: "changed-nothing",
    attack: name,
    message: `${found}: its accuracy says nothing about robustness`,
  };
}

import type { Dataset } from "../datasets/index.js";
import type { Precision } from "../nn/index.js";

/** Epochs of the paper on CIFAR-10. */
export const cifarEpochs = 350;

/** Epochs after which the paper's rate on CIFAR-10 becomes a tenth, again and again. */
const drop = 150;

/** Choices of the recipe on CIFAR-10. */
export interface CifarOptions {
  readonly data: Dataset;
  readonly precision: Precision;
  readonly epochs: number;
  /** Training images, the first ones; all where left out. */
  readonly trainImages?: number | undefined;
}

/**
 * The paper's recipe on CIFAR-10 (section 4.1): half clean and half FGSM images at 8/255, and a tenth of the
 * rate after every 150 of 350 epochs. A shorter run has its drops at the same shares.
 */
export function cifarRecipe({ data, precision, epochs, trainImages }: CifarOptions) {
  return {
    data,
    precision,
    augmentation: "crop-flip",
    method: "fgsm(epsilon=8/255)",
    cleanWeight: 0.5,
    schedule: `step(peak=0.1, epochs=${(drop * epochs) / cifarEpochs}, factor=0.1)`,
    validationAttacks: ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=2/255, steps=7)"],
    validationImages: Math.min(1000, trainImages ?? 1000),
    epochs,
    limit: trainImages ?? null,
  } as const;
}

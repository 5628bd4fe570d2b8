import { checkProposal, Victim } from "../attacks/index.js";
import type { Seed } from "../base/index.js";
import type { TensorSplit } from "../datasets/index.js";
import { enableGrad, grad, type Noise, noGrad, scope, type Tensor } from "../engine/index.js";
import type { Model } from "../models/index.js";
import { type Classifier, checkLogits, usesBatchStatistics } from "../nn/index.js";
import { answered } from "../trials/index.js";
import type { TrainConfig } from "./config.js";
import { checkKept } from "./run/weights-file.js";
import { Snapshot } from "./snapshot.js";
import type { StepPlan } from "./step/plan.js";

/**
 * Checks a model's weights, and its answers to a few images, before anything long begins.
 *
 * @throws TypeError for weights that a run cannot keep and answers that are no tensor, RangeError for another
 *   shape than (N, classes) or numbers that are not finite, Error for an error of the model's own and for
 *   images that it changes
 */
export function checkModelAnswers(model: Model, data: TensorSplit, seed: Seed): void {
  checkKept(model.module.state().values());
  noGrad(() =>
    scope(() => {
      const { images, imageIds } = data.range(0, 2);
      const noise = { seed, draw: 0, imageIds };
      const given = answered(model.name, images, () =>
        model.module.apply(images, { training: false, noise }),
      );
      const { name, classes } = model;
      const logits = checkLogits({ name: `model ${name}`, classes }, images, given);
      if (logits.isfinite().all().item() === 1) return;
      throw new RangeError(`model ${model.name} gives logits that are NaN or infinite before any training`);
    }),
  );
}

/**
 * Throws a RangeError where the last batch of an epoch is one image, and the model's batch normalization
 * cannot train on that: a run would end there, and at the same step whenever it went on.
 */
export function checkLastBatch(
  { module }: Model,
  data: TensorSplit,
  { smallestBatch }: StepPlan,
  seed: Seed,
): void {
  if (smallestBatch > 1 || !usesBatchStatistics(module)) return;
  // The pass moves running statistics.
  const before = new Snapshot(module.state());
  try {
    noGrad(() =>
      scope(() => {
        const { images, imageIds } = data.range(0, 1);
        module.apply(images, { training: true, noise: { seed, draw: 0, imageIds } });
      }),
    );
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(
      `the last batch of an epoch has one image: ${cause.message}; choose another batchSize or limit ` +
        "(--batch-size, --limit)",
      { cause },
    );
  } finally {
    before.restore();
    before.dispose();
  }
}

/** Throws a RangeError for a validation attack that cannot run on the model. */
export function checkValidationAttacks({ validationAttacks }: TrainConfig, model: Model): void {
  const classifier = model.classifier();
  for (const [i, attack] of validationAttacks.entries()) {
    try {
      attack.check(classifier);
    } catch (cause) {
      throw new RangeError(`validationAttacks[${i}]: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Throws an Error for an augmentation whose images have another form, or pixels outside [0, 1]. */
export function checkAugmentedImages({ augmentation }: TrainConfig, data: TensorSplit, seed: Seed): void {
  const { augment } = augmentation;
  if (augment === undefined) return;
  noGrad(() =>
    scope(() => {
      const { images, imageIds } = data.range(0, 16);
      const varied = augment(images.clone(), { seed, draw: 0, imageIds });
      checkProposal(`augmentation ${augmentation}`, varied, images);
    }),
  );
}

/** Throws an Error for a model that passes no gradient to its images: attacks would change nothing. */
function checkGradient(model: Model, images: Tensor, noise: Noise, method: string): void {
  const input = images.detach().requireGrad();
  const sum = enableGrad(() => model.classifier().logits(input, noise).sum());
  try {
    grad(sum, [input]);
  } catch (cause) {
    throw new Error(
      `model ${model.name} passes no gradient to its images, and method ${method} needs one: let what ` +
        "blocks it pass gradients straight through",
      { cause },
    );
  }
}

/**
 * Checks a method's training images of a few images before anything long begins.
 *
 * @throws Error for a result in another form, for pixels outside [0, 1], and where the images themselves were
 *   changed
 */
export function checkMethodImages(
  { method, precision }: TrainConfig,
  model: Model,
  data: TensorSplit,
  seed: Seed,
  sources: readonly Classifier[],
): void {
  const { perturb } = method;
  if (perturb === undefined) return;
  noGrad(() =>
    scope(() => {
      const { images, labels, imageIds } = data.range(0, 2);
      checkGradient(model, images, { seed, draw: 0, imageIds }, `${method}`);
      const own = images.clone();
      const victim = new Victim(model.classifier({ precision }), { seed, imageIds }, method.name);
      checkProposal(`method ${method}`, perturb(victim, own, labels, 1, sources), images);
      if (own.eq(images).all().item() === 1) return;
      throw new Error(`method ${method} changes the images that it is given: it must change a clone of them`);
    }),
  );
}

import { Victim } from "../../attacks/index.js";
import type { Batch, TensorSplit } from "../../datasets/index.js";
import { grad, noGrad, type Ranks, scope, type Tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import {
  type Classifier,
  differsInTraining,
  forgetMade,
  meanCrossEntropy,
  type OptimizerRun,
} from "../../nn/index.js";
import type { TrainConfig } from "../config.js";
import type { WeightCopies } from "../weight-copies.js";
import type { StepVariables } from "./variables.js";

/** Parts of a step that stay the same from step to step. */
export interface StepParts {
  readonly config: TrainConfig;
  readonly model: Model;
  /** Weights that training changes. */
  readonly parameters: readonly Tensor[];
  readonly data: TensorSplit;
  readonly optimizer: OptimizerRun;
  readonly copies: WeightCopies;
  readonly variables: StepVariables;
  readonly ranks: Ranks;
  /** Trained models that the method attacks too. */
  readonly sources: readonly Classifier[];
}

/** Facts of a step that are numbers in its work. */
export interface StepFacts {
  /** Images of the batch, or of this rank's part of it. */
  readonly count: number;
  /** Those images as a share of the batch: 1 for a process by itself. */
  readonly share: number;
  /** Factor of the method's step. */
  readonly stepScale: number;
}

/** Images that a step trains on, their mean loss (float64, without axes) and its gradients by the weights. */
export interface StepGradients {
  readonly batch: Batch;
  readonly perturbed: Tensor;
  readonly loss: Tensor;
  readonly gradients: readonly Tensor[];
}

/**
 * One training step: batch, augmentation, attack, loss, gradients, update, average. All that changes between
 * steps is read from `variables`, where the tensors lie, so that the step can be captured as a CUDA graph.
 *
 * Ranks take a part of the batch each, and make the same update by the sums of their gradients.
 *
 * @param see is shown the gradients before the update
 */
export function trainingStep(
  parts: StepParts,
  facts: StepFacts,
  see?: (found: StepGradients) => void,
): StepGradients {
  const { model, optimizer, copies, variables } = parts;
  const batch = augmented(parts, parts.data.at(variables.positions(facts.count)));
  const found = { batch, ...overRanks(parts, gradientsOf(parts, batch, facts)) };
  see?.(found);
  optimizer.update(found.gradients, variables.factors);
  for (const defense of model.defenses) defense.afterUpdate?.(model);
  copies.follow(variables.factors.slice(optimizer.factorCount));
  return found;
}

/** Loss and gradients of the whole batch, by those of each rank's part. */
function overRanks<Found extends Pick<StepGradients, "loss" | "gradients">>(
  { ranks }: StepParts,
  found: Found,
): Found {
  if (ranks.size === 1) return found;
  const [loss, ...gradients] = ranks.sumTensors([found.loss.to("float32"), ...found.gradients]);
  return { ...found, loss: loss!.to("float64"), gradients };
}

function augmented({ config, variables }: StepParts, batch: Batch): Batch {
  const { augment } = config.augmentation;
  if (augment === undefined) return batch;
  const noise = { seed: variables.seeds.augmentation, draw: 0, imageIds: batch.imageIds };
  return { ...batch, images: augment(batch.images, noise) };
}

/** Losses and gradients of the method's images and the clean ones, weighted by `cleanWeight`. */
function gradientsOf(
  parts: StepParts,
  batch: Batch,
  { share, stepScale }: StepFacts,
): Omit<StepGradients, "batch"> {
  const { method, cleanWeight, labelSmoothing } = parts.config;
  if (cleanWeight === 0) {
    const perturbed = perturb(parts, batch, stepScale);
    return { perturbed, ...backward(parts, perturbed, batch, { draw: draws.perturbed, share }) };
  }
  // A pass that differs in training, or smoothed labels, would make its gradient another than the attack's.
  const differs = differsInTraining(parts.model.module) || labelSmoothing > 0;
  const shortcut = differs ? undefined : method.fromCleanGradient;
  let perturbed: Tensor;
  let clean: Backward;
  if (shortcut === undefined) {
    perturbed = perturb(parts, batch, stepScale);
    clean = backward(parts, batch.images, batch, { draw: draws.clean, share });
  } else {
    clean = backward(parts, batch.images.detach().requireGrad(), batch, { draw: draws.clean, share });
    perturbed = noGrad(() => shortcut(batch.images, clean.imageGradient!, stepScale));
  }
  const attacked = backward(parts, perturbed, batch, { draw: draws.perturbed, share });
  const mix = (a: Tensor, b: Tensor) => a.mul(1 - cleanWeight).add(b, cleanWeight);
  return {
    perturbed,
    loss: attacked.loss.mul(1 - cleanWeight).add(clean.loss.mul(cleanWeight)),
    gradients: attacked.gradients.map((gradient, i) => mix(gradient, clean.gradients[i]!)),
  };
}

/** Draws of a step's passes. */
const draws = { perturbed: 0, clean: 1 } as const;

/** Training images of the method, by passes of their own through the model in evaluation mode. */
function perturb({ config, model, variables, sources }: StepParts, batch: Batch, stepScale: number): Tensor {
  const { method, precision } = config;
  const { perturb: work, name } = method;
  if (work === undefined) return batch.images;
  const context = { seed: variables.attackSeed, imageIds: batch.imageIds };
  // What reads tensors back is done anew at every step, and draws for purposes of its own.
  const options = method.readsBack ? {} : { seeds: (purpose: string) => variables.seedOf(purpose) };
  const victim = new Victim(model.classifier({ precision }), context, name, options);
  try {
    return scope(() => noGrad(() => work(victim, batch.images, batch.labels, stepScale, sources)));
  } finally {
    // The update changes the weights, so nothing that was made of them serves again.
    forgetMade(model.module);
  }
}

interface Backward extends Pick<StepGradients, "loss" | "gradients"> {
  /** Gradient with respect to the images, where they require it. */
  readonly imageGradient?: Tensor;
}

/**
 * Mean loss of images and its gradients by the weights, times the images' share of the batch: batch
 * normalization adds up gradients of all ranks, whose parts may differ by an image.
 */
function backward(
  parts: StepParts,
  images: Tensor,
  { imageIds, labels }: Batch,
  { draw, share }: { readonly draw: number; readonly share: number },
): Backward {
  const { config, model, parameters, ranks, variables } = parts;
  const { precision, labelSmoothing } = config;
  const noise = { seed: variables.seeds.passes, draw, imageIds };
  // What a pass leaves behind is freed before the next: it is most of what a run holds.
  return scope(() => {
    const logits = model.module.apply(images, { training: true, noise, precision, ranks });
    const own = meanCrossEntropy(logits.to("float32"), labels, labelSmoothing);
    const mean = share === 1 ? own : own.mul(share);
    const loss = mean.detach().to("float64");
    if (!images.requiresGrad) return { loss, gradients: grad(mean, parameters, { unused: "zeros" }) };
    const [imageGradient, ...gradients] = grad(mean, [images, ...parameters], { unused: "zeros" });
    return { loss, gradients, imageGradient: imageGradient! };
  });
}

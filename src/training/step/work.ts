import { Target } from "../../attacks/index.js";
import type { Augmentation, Batch, TensorSplit } from "../../datasets/index.js";
import { grad, type Noise, noGrad, scope, type Tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import { meanCrossEntropy, usesBatchStatistics } from "../../nn/index.js";
import type { TrainConfig } from "../config.js";
import type { TrainingMethod } from "../methods/index.js";
import type { StepVariables } from "./variables.js";

interface Backward {
  readonly loss: Tensor;
  readonly gradients: Tensor[];
  readonly imageGradient?: Tensor;
}

/** The mean loss of a step's batch, float64 without axes, its gradients, and what the method made of the images. */
export interface StepGradients {
  readonly loss: Tensor;
  readonly gradients: Tensor[];
  readonly batch: Batch;
  readonly perturbed: Tensor;
}

/** What a step's work is made of. */
export interface StepParts {
  readonly config: TrainConfig;
  readonly model: Model;
  readonly data: TensorSplit;
  readonly variables: StepVariables;
  readonly augment: Augmentation["augment"];
  readonly method: TrainingMethod & { readonly label: string };
}

/** The purposes that a method's attack draws noise for. */
const attackSeeds = { model: "attackModel", noise: "attackNoise" } as const;

/**
 * A step's passes through the network. What differs from step to step is read from the step's variables where the tensors
 * lie; nothing is read back.
 */
export class StepWork {
  readonly #parts: StepParts;
  readonly #parameters: readonly Tensor[];
  readonly #mixesImages: boolean;

  constructor(parts: StepParts) {
    this.#parts = parts;
    this.#parameters = [...parts.model.module.parameters().values()];
    this.#mixesImages = usesBatchStatistics(parts.model.module);
  }

  /** Makes the training images of the first `count` positions, and the loss's gradients by them. */
  gradients(count: number, stepScale: number): StepGradients {
    const batch = this.#batch(count);
    return { ...this.#mixed(batch, stepScale), batch };
  }

  #batch(count: number): Batch {
    const { data, variables, augment } = this.#parts;
    const batch = data.at(variables.positions(count));
    if (augment === undefined) return batch;
    const noise = { seed: variables.seeds.augmentation, draw: 0, imageIds: batch.imageIds };
    return { ...batch, images: augment(batch.images, noise) };
  }

  /** Gradient of the mean loss of a batch with respect to the parameters, and to the images where they require it. */
  #backward(inputs: Tensor, { imageIds, labels }: Batch, draw: number): Backward {
    const { config, model, variables } = this.#parts;
    const { precision, labelSmoothing } = config;
    const noise: Noise = { seed: variables.seeds.passes, draw, imageIds };
    // What a pass leaves behind is freed before the next one: it is most of what a run holds.
    return scope(() => {
      const logits = model.module.apply(inputs, { training: true, quantization: true, noise, precision });
      const mean = meanCrossEntropy(logits.to("float32"), labels, labelSmoothing);
      const loss = mean.detach().to("float64");
      if (!inputs.requiresGrad) return { loss, gradients: grad(mean, this.#parameters, { unused: "zeros" }) };
      const [imageGradient, ...gradients] = grad(mean, [inputs, ...this.#parameters], { unused: "zeros" });
      return { loss, imageGradient: imageGradient!, gradients };
    });
  }

  /** The method's images, by passes of their own through the network in evaluation mode. */
  #perturb({ images, labels, imageIds }: Batch, stepScale: number): Tensor {
    const { config, model, variables, method } = this.#parts;
    if (method.perturb === undefined) return images;
    const seeds = (purpose: string) => {
      if (purpose !== "model" && purpose !== "noise") throw new Error(`a step has no noise for purpose "${purpose}"`);
      return variables.seeds[attackSeeds[purpose]];
    };
    const classifier = model.classifier({ precision: config.precision });
    const target = new Target(classifier, { seed: 0, imageIds }, method.label, { seeds });
    return scope(() => noGrad(() => method.perturb!(target, images, labels, stepScale)));
  }

  /** Losses and gradients of the method's images and the clean ones, weighted by the clean share. */
  #mixed(batch: Batch, stepScale: number): Omit<StepGradients, "batch"> {
    const { config, method } = this.#parts;
    const { cleanShare, labelSmoothing } = config;
    const draws = { perturbed: 0, clean: 1 };
    if (cleanShare === 0) {
      const perturbed = this.#perturb(batch, stepScale);
      return { ...this.#backward(perturbed, batch, draws.perturbed), perturbed };
    }
    // Batch statistics or smoothed labels would make the clean pass's gradient another one than the attack's.
    const shared = this.#mixesImages || labelSmoothing > 0 ? undefined : method.fromCleanGradient;
    let clean: Backward;
    let images: Tensor;
    if (shared === undefined) {
      images = this.#perturb(batch, stepScale);
      clean = this.#backward(batch.images, batch, draws.clean);
    } else {
      clean = this.#backward(batch.images.detach().requireGrad(), batch, draws.clean);
      images = noGrad(() => shared(batch.images, clean.imageGradient!, stepScale));
    }
    const perturbed = this.#backward(images, batch, draws.perturbed);
    const mix = (a: Tensor, b: Tensor) => a.mul(1 - cleanShare).add(b, cleanShare);
    return {
      loss: perturbed.loss.mul(1 - cleanShare).add(clean.loss.mul(cleanShare)),
      gradients: perturbed.gradients.map((gradient, i) => mix(gradient, clean.gradients[i]!)),
      perturbed: images,
    };
  }
}

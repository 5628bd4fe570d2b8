import { type AttackContext, fgsm, parseAttack, pgd, Target } from "../attacks/index.js";
import { augmentations, type Batch, type Dataset, holdOut, subset, TensorSplit } from "../datasets/index.js";
import { deriveSeed, grad, noGrad, permutation, type Seed, scope, type Tensor } from "../engine/index.js";
import { type Model, type Network, parseNetwork } from "../models/index.js";
import { meanCrossEntropy, type Optimizer, type Schedule, usesBatchStatistics } from "../nn/index.js";
import type { TrainingState } from "./checkpoint.js";
import type { Standpoint } from "./collapse.js";
import type { TrainConfig } from "./config.js";
import type { Probe } from "./events.js";
import type { GuardRules } from "./guard.js";
import { guards } from "./guards.js";
import { trainingMethods } from "./methods/index.js";
import { optimizers } from "./optimizers.js";
import { outputsFinite, probe } from "./probe.js";
import { schedules } from "./schedules.js";
import { measureSignals, type Signals } from "./signals.js";
import { WeightCopies } from "./weight-copies.js";

interface Backward {
  loss: number;
  gradients: Tensor[];
  imageGradient?: Tensor;
}

/** The loss and gradients of a step, and what the method made of its images. */
interface MixedBackward {
  readonly loss: number;
  readonly gradients: Tensor[];
  readonly perturbed: Tensor;
}

/** What a step tells: signals only where a guard measures them. */
export interface StepOutcome {
  readonly loss: number;
  readonly zeroGradient: boolean;
  readonly signals?: Signals | undefined;
}

/** A step takes two draws of noise, which are numbered below 2^32. */
const mostSteps = 2 ** 31;

function checkCount(name: string, value: number, most: number, why: string): void {
  if (value > most) throw new RangeError(`${name} must be at most ${most}, not ${value}: ${why}`);
}

/** A configuration made ready: the network, its optimizer, and the images; one call makes one training step. */
export class TrainingSession {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly learningRate: Schedule;
  /** Undefined without a guard. */
  readonly guardRules: GuardRules | undefined;
  readonly #config: TrainConfig;
  readonly #seed: Seed;
  readonly #data: TensorSplit;
  readonly #positions: Int32Array;
  readonly #heldOut: Int32Array;
  readonly #probePositions: Int32Array;
  /** The weights kept beside those in training. */
  readonly copies: WeightCopies;
  readonly #method;
  readonly #augment;
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #mixesImages: boolean;
  #order: { epoch: number; positions: Int32Array } | undefined;

  constructor(config: TrainConfig, dataset: Dataset, device = "cpu") {
    const { seed, batchSize, epochs } = config;
    const network: Network = parseNetwork(config.network);
    if (network.inputShape.join() !== dataset.imageShape.join()) {
      throw new RangeError(
        `network "${network.name}" takes images of shape [${network.inputShape}], data set "${dataset.name}" has [${dataset.imageShape}]`,
      );
    }
    this.#config = config;
    this.#seed = deriveSeed(seed, "training");
    const whole = dataset.train;
    checkCount("limit", config.limit ?? whole.count, whole.count, `data set "${dataset.name}" has no more images`);
    const split = config.limit === null ? whole : subset(whole, config.limit);
    checkCount("holdOut", config.holdOut, split.count - 1, "one of the images must be left to train on");
    const { train, heldOut } = holdOut(split, config.holdOut, deriveSeed(seed, "hold out"));
    this.#positions = train;
    this.#heldOut = heldOut;
    // Without held-out images the probe shows overfitting to an attack, which needs none, but not to the images.
    this.#probePositions = (heldOut.length > 0 ? heldOut : train).slice(0, config.probeImages);
    const build = () => {
      const model = network.build({ seed, sqa: config.sqa ?? undefined });
      model.module.to(device);
      return model;
    };
    this.model = build();
    this.#parameters = this.model.module.parameters();
    this.#mixesImages = usesBatchStatistics(this.model.module);
    this.optimizer = optimizers.parse(config.optimizer).optimizer(this.#parameters);
    this.guardRules = guards.parse(config.guard).rules;
    const kept = {
      averaging: config.averaging,
      best: config.selection === "best",
      good: this.guardRules !== undefined,
    };
    this.copies = new WeightCopies(this.model, this.optimizer, kept, build);
    this.#augment = augmentations.parse(config.augmentation).augment;
    this.#method = trainingMethods.parse(config.method);
    this.stepsPerEpoch = Math.ceil(train.length / batchSize);
    this.totalSteps = epochs * this.stepsPerEpoch;
    checkCount(
      "epochs",
      epochs,
      Math.floor(mostSteps / this.stepsPerEpoch),
      `an epoch has ${this.stepsPerEpoch} steps`,
    );
    this.learningRate = schedules.parse(config.schedule).schedule({ epochs, stepsPerEpoch: this.stepsPerEpoch });
    // Last, so that nothing this large is made for a configuration that is refused.
    this.#data = new TensorSplit(split, dataset.imageShape, { device });
  }

  #batch(step: number): Batch {
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      const order = permutation(this.#positions.length, deriveSeed(this.#seed, "order", epoch));
      this.#order = { epoch, positions: order.map((index) => this.#positions[index]!) };
    }
    const first = (step % this.stepsPerEpoch) * this.#config.batchSize;
    const batch = this.#data.batch(this.#order.positions.subarray(first, first + this.#config.batchSize));
    if (this.#augment === undefined) return batch;
    const noise = { seed: deriveSeed(this.#seed, "augmentation"), draw: step, imageIds: batch.imageIds };
    return { ...batch, images: this.#augment(batch.images, noise) };
  }

  /** Gradient of the mean loss of a batch with respect to the parameters, and to the images where they require it. */
  #backward(inputs: Tensor, batch: Batch, draw: number): Backward {
    const noise = { seed: deriveSeed(this.#seed, "noise"), draw, imageIds: batch.imageIds };
    const { precision } = this.#config;
    const logits = this.model.module.apply(inputs, { training: true, quantization: true, noise, precision });
    const loss = meanCrossEntropy(logits.to("float32"), batch.labels, this.#config.labelSmoothing);
    const parameters = [...this.#parameters.values()];
    if (!inputs.requiresGrad) return { loss: loss.item(), gradients: grad(loss, parameters, { unused: "zeros" }) };
    const [imageGradient, ...gradients] = grad(loss, [inputs, ...parameters], { unused: "zeros" });
    return { loss: loss.item(), imageGradient: imageGradient!, gradients };
  }

  /** The method's images, by passes of their own through the network in evaluation mode. */
  #perturb(batch: Batch, step: number, stepScale: number): Tensor {
    if (this.#method.perturb === undefined) return batch.images;
    const target = this.#target(batch, "perturbation", step);
    return noGrad(() => this.#method.perturb!(target, batch.images, batch.labels, stepScale));
  }

  /** The network in training as an attack sees it, with noise of a purpose. */
  #target({ imageIds }: Batch, purpose: string, step: number): Target {
    const context: AttackContext = { seed: deriveSeed(this.#seed, purpose, step), imageIds };
    const { precision } = this.#config;
    return new Target(this.model.classifier({ precision }), context, this.#method.label);
  }

  /** Losses and gradients of the method's images and the clean ones, weighted by the clean share. */
  #mixedBackward(batch: Batch, step: number, stepScale: number): MixedBackward {
    const { cleanShare, labelSmoothing } = this.#config;
    const draws = { perturbed: 2 * step, clean: 2 * step + 1 };
    if (cleanShare === 0) {
      const perturbed = this.#perturb(batch, step, stepScale);
      return { ...this.#backward(perturbed, batch, draws.perturbed), perturbed };
    }
    // Batch statistics or smoothed labels would make the clean pass's gradient another one than the attack's.
    const shared = this.#mixesImages || labelSmoothing > 0 ? undefined : this.#method.fromCleanGradient;
    let clean: Backward;
    let images: Tensor;
    if (shared === undefined) {
      images = this.#perturb(batch, step, stepScale);
      clean = this.#backward(batch.images, batch, draws.clean);
    } else {
      clean = this.#backward(batch.images.detach().requireGrad(), batch, draws.clean);
      images = noGrad(() => shared(batch.images, clean.imageGradient!, stepScale));
    }
    const perturbed = this.#backward(images, batch, draws.perturbed);
    const mix = (a: Tensor, b: Tensor) => a.mul(1 - cleanShare).add(b, cleanShare);
    return {
      loss: (1 - cleanShare) * perturbed.loss + cleanShare * clean.loss,
      gradients: perturbed.gradients.map((gradient, i) => mix(gradient, clean.gradients[i]!)),
      perturbed: images,
    };
  }

  /**
   * One step: makes the training images, and moves the weights by the gradient of the mean loss.
   * Everything random is keyed by the step. Returns the loss, and whether every gradient was zero. `stepScale` makes the method's
   * step smaller; a guard's signals are those of before the update.
   */
  step(step: number, stepScale = 1): StepOutcome {
    return scope(() => {
      const batch = this.#batch(step);
      const { loss, gradients, perturbed } = this.#mixedBackward(batch, step, stepScale);
      const measured = this.guardRules !== undefined && (step + 1) % this.guardRules.signalInterval === 0;
      const target = this.#target(batch, "signals", step);
      const signals = measured ? measureSignals(target, batch.images, perturbed, batch.labels) : undefined;
      if (!Number.isFinite(loss)) return { loss, zeroGradient: false };
      const isZero = (gradient: Tensor) => gradient.ne(0).any().item() === 0;
      // One gradient that is not zero settles it, and the last bias's is the cheapest to look at.
      const zeroGradient = [...gradients].reverse().every(isZero);
      this.optimizer.step(gradients, this.learningRate(step));
      this.copies.follow();
      return { loss, zeroGradient, signals };
    });
  }

  /** The network that is evaluated and saved: the averaged one where weights are averaged. */
  get evaluated(): Model {
    return this.copies.evaluated;
  }

  /** What a checkpoint holds, to be read and to be loaded into. */
  get state(): TrainingState {
    return { module: this.model.module, optimizer: this.optimizer, copies: this.copies.copies };
  }

  /** Accuracies of the probe images now: clean and under each of the configuration's probes. */
  probe(epoch: number): { clean: number; commonestClass: number; probes: Probe[] } {
    const attacks = this.#config.probes.map((text) => parseAttack(text));
    const images = { data: this.#data, positions: this.#probePositions };
    return probe(this.evaluated.classifier(), images, attacks, deriveSeed(this.#seed, "probe", epoch));
  }

  /** Accuracies of held-out images under FGSM and PGD: of the network in training, which overfits before its average does. */
  guardCheck(step: number): Standpoint {
    const { images, steps } = this.guardRules!;
    const epsilon = this.#method.epsilon!;
    const attacks = [fgsm({ epsilon }), pgd({ epsilon, steps, stepSize: epsilon / 4 })];
    const heldOut = { data: this.#data, positions: this.#heldOut.subarray(0, images) };
    const seed = deriveSeed(this.#seed, "guard", step);
    const { clean, probes } = probe(this.model.classifier(), heldOut, attacks, seed);
    return { clean, weak: probes[0]!.accuracy, strong: probes[1]!.accuracy };
  }

  /** Whether the network's answers to probe images are finite numbers. */
  outputsFinite(): boolean {
    const images = { data: this.#data, positions: this.#probePositions };
    return outputsFinite(this.evaluated.classifier(), images, this.#seed);
  }

  dispose(): void {
    this.#data.dispose();
    this.copies.dispose();
    this.model.module.dispose();
    for (const value of this.optimizer.state.values()) value.dispose();
  }
}

import { type AttackContext, parseAttack, Target } from "../attacks/index.js";
import { augmentations, type Batch, type Dataset, holdOut, subset, TensorSplit } from "../datasets/index.js";
import { deriveSeed, grad, noGrad, permutation, type Seed, scope, type Tensor } from "../engine/index.js";
import { type Model, type Network, parseNetwork } from "../models/index.js";
import { meanCrossEntropy, type Optimizer, type Schedule, usesBatchStatistics } from "../nn/index.js";
import type { TrainConfig } from "./config.js";
import type { Probe } from "./events.js";
import { trainingMethods } from "./methods/index.js";
import { optimizers } from "./optimizers.js";
import { probe } from "./probe.js";
import { schedules } from "./schedules.js";

/** Images attacked together in a probe. */
const probeBatch = 500;

interface Backward {
  loss: number;
  gradients: Tensor[];
  imageGradient?: Tensor;
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
  readonly #config: TrainConfig;
  readonly #seed: Seed;
  readonly #data: TensorSplit;
  readonly #positions: Int32Array;
  readonly #probePositions: Int32Array;
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
    // Without held-out images the probe shows overfitting to an attack, which needs none, but not to the images.
    this.#probePositions = (heldOut.length > 0 ? heldOut : train).slice(0, config.probeImages);
    this.model = network.build({ seed, sqa: config.sqa ?? undefined });
    this.model.module.to(device);
    this.#parameters = this.model.module.parameters();
    this.#mixesImages = usesBatchStatistics(this.model.module);
    this.optimizer = optimizers.parse(config.optimizer).optimizer(this.#parameters);
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
    const logits = this.model.module.apply(inputs, { training: true, quantization: true, noise });
    const loss = meanCrossEntropy(logits, batch.labels, this.#config.labelSmoothing);
    const parameters = [...this.#parameters.values()];
    if (!inputs.requiresGrad) return { loss: loss.item(), gradients: grad(loss, parameters, { unused: "zeros" }) };
    const [imageGradient, ...gradients] = grad(loss, [inputs, ...parameters], { unused: "zeros" });
    return { loss: loss.item(), imageGradient: imageGradient!, gradients };
  }

  /** The method's images, by passes of their own through the network in evaluation mode. */
  #perturb(batch: Batch, step: number): Tensor {
    if (this.#method.perturb === undefined) return batch.images;
    const context: AttackContext = { seed: deriveSeed(this.#seed, "perturbation", step), imageIds: batch.imageIds };
    const target = new Target(this.model.classifier(), context, this.#method.label);
    return noGrad(() => this.#method.perturb!(target, batch.images, batch.labels));
  }

  /** Losses and gradients of the method's images and the clean ones, weighted by the clean share. */
  #mixedBackward(batch: Batch, step: number): { loss: number; gradients: Tensor[] } {
    const { cleanShare, labelSmoothing } = this.#config;
    const draws = { perturbed: 2 * step, clean: 2 * step + 1 };
    if (cleanShare === 0) return this.#backward(this.#perturb(batch, step), batch, draws.perturbed);
    // Batch statistics or smoothed labels would make the clean pass's gradient another one than the attack's.
    const shared = this.#mixesImages || labelSmoothing > 0 ? undefined : this.#method.fromCleanGradient;
    let clean: Backward;
    let images: Tensor;
    if (shared === undefined) {
      images = this.#perturb(batch, step);
      clean = this.#backward(batch.images, batch, draws.clean);
    } else {
      clean = this.#backward(batch.images.detach().requireGrad(), batch, draws.clean);
      images = noGrad(() => shared(batch.images, clean.imageGradient!));
    }
    const perturbed = this.#backward(images, batch, draws.perturbed);
    const mix = (a: Tensor, b: Tensor) => a.mul(1 - cleanShare).add(b, cleanShare);
    return {
      loss: (1 - cleanShare) * perturbed.loss + cleanShare * clean.loss,
      gradients: perturbed.gradients.map((gradient, i) => mix(gradient, clean.gradients[i]!)),
    };
  }

  /**
   * One step: makes the training images, and moves the weights by the gradient of the mean loss.
   * Everything random is keyed by the step. Returns the loss, and whether every gradient was zero.
   */
  step(step: number): { loss: number; zeroGradient: boolean } {
    return scope(() => {
      const { loss, gradients } = this.#mixedBackward(this.#batch(step), step);
      if (!Number.isFinite(loss)) return { loss, zeroGradient: false };
      const isZero = (gradient: Tensor) => gradient.ne(0).any().item() === 0;
      // One gradient that is not zero settles it, and the last bias's is the cheapest to look at.
      const zeroGradient = [...gradients].reverse().every(isZero);
      this.optimizer.step(gradients, this.learningRate(step));
      return { loss, zeroGradient };
    });
  }

  /** Accuracies of the probe images now: clean and under each of the configuration's probes. */
  probe(epoch: number): { clean: number; commonestClass: number; probes: Probe[] } {
    return scope(() => {
      const batches: Batch[] = [];
      for (let first = 0; first < this.#probePositions.length; first += probeBatch) {
        batches.push(this.#data.batch(this.#probePositions.subarray(first, first + probeBatch)));
      }
      const attacks = this.#config.probes.map((text) => parseAttack(text));
      return probe(this.model.classifier(), batches, attacks, deriveSeed(this.#seed, "probe", epoch));
    });
  }

  /** Whether the network's answers to probe images are finite numbers. */
  outputsFinite(): boolean {
    return scope(() =>
      noGrad(() => {
        const { images, imageIds } = this.#data.batch(this.#probePositions.subarray(0, probeBatch));
        const logits = this.model.classifier().logits(images, { seed: this.#seed, draw: 0, imageIds });
        return logits.isfinite().all().item() === 1;
      }),
    );
  }

  dispose(): void {
    this.#data.dispose();
    this.model.module.dispose();
    for (const value of this.optimizer.state.values()) value.dispose();
  }
}

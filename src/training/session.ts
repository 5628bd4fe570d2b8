import { type AttackContext, parseAttack, Target } from "../attacks/index.js";
import { type Batch, type Dataset, holdOut, subset, TensorSplit } from "../datasets/index.js";
import { deriveSeed, grad, permutation, type Seed, scope, type Tensor } from "../engine/index.js";
import { type Model, modelByName } from "../models/index.js";
import { meanCrossEntropy, type Optimizer, type Schedule } from "../nn/index.js";
import type { TrainConfig } from "./config.js";
import type { Probe } from "./events.js";
import { trainingMethods } from "./methods/index.js";
import { optimizers } from "./optimizers.js";
import { probe } from "./probe.js";
import { schedules } from "./schedules.js";

/** Images attacked together in a probe. */
const probeBatch = 500;

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
  readonly #parameters: ReadonlyMap<string, Tensor>;
  #order: { epoch: number; positions: Int32Array } | undefined;

  constructor(config: TrainConfig, dataset: Dataset) {
    const { seed, network, batchNorm, batchSize, epochs } = config;
    const definition = modelByName(network);
    if (definition.inputShape.join() !== dataset.imageShape.join()) {
      throw new RangeError(
        `network "${network}" takes images of shape [${definition.inputShape}], data set "${dataset.name}" has [${dataset.imageShape}]`,
      );
    }
    this.#config = config;
    this.#seed = deriveSeed(seed, "training");
    const split = config.limit === null ? dataset.train : subset(dataset.train, config.limit);
    const { train, heldOut } = holdOut(split, config.holdOut, deriveSeed(seed, "hold out"));
    this.#data = new TensorSplit(split, dataset.imageShape);
    this.#positions = train;
    // Without held-out images the probe shows overfitting to an attack, which needs none, but not to the images.
    this.#probePositions = (heldOut.length > 0 ? heldOut : train).slice(0, config.probeImages);
    this.model = definition.build({ seed, batchNorm, sqa: config.sqa ?? undefined });
    this.#parameters = this.model.module.parameters();
    this.optimizer = optimizers.parse(config.optimizer).optimizer(this.#parameters);
    this.#method = trainingMethods.parse(config.method);
    this.stepsPerEpoch = Math.ceil(train.length / batchSize);
    this.totalSteps = epochs * this.stepsPerEpoch;
    this.learningRate = schedules.parse(config.schedule).schedule({ epochs, stepsPerEpoch: this.stepsPerEpoch });
  }

  #batch(step: number): Batch {
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      const order = permutation(this.#positions.length, deriveSeed(this.#seed, "order", epoch));
      this.#order = { epoch, positions: order.map((index) => this.#positions[index]!) };
    }
    const first = (step % this.stepsPerEpoch) * this.#config.batchSize;
    return this.#data.batch(this.#order.positions.subarray(first, first + this.#config.batchSize));
  }

  /**
   * One step: makes the training images, and moves the weights by the gradient of the mean loss.
   * Everything random is keyed by the step. Returns the loss, and whether every gradient was zero.
   */
  step(step: number): { loss: number; zeroGradient: boolean } {
    return scope(() => {
      const { images, labels, imageIds } = this.#batch(step);
      const context: AttackContext = { seed: deriveSeed(this.#seed, "perturbation", step), imageIds };
      const target = new Target(this.model.classifier(), context, this.#method.label);
      const perturbed = this.#method.perturb?.(target, images, labels).detach() ?? images;
      const noiseSeed = deriveSeed(this.#seed, "noise");
      const lossOf = (inputs: Tensor, draw: number) => {
        const pass = { training: true, quantization: true, noise: { seed: noiseSeed, draw, imageIds } };
        return meanCrossEntropy(this.model.module.apply(inputs, pass), labels, this.#config.labelSmoothing);
      };
      const { cleanShare } = this.#config;
      let loss = lossOf(perturbed, 2 * step);
      if (cleanShare > 0) loss = loss.mul(1 - cleanShare).add(lossOf(images, 2 * step + 1), cleanShare);
      const value = loss.item();
      if (!Number.isFinite(value)) return { loss: value, zeroGradient: false };
      const gradients = grad(loss, [...this.#parameters.values()], { unused: "zeros" });
      // The last layer's bias has a gradient unless every image's prediction is certain, or everything is zero.
      const zeroGradient =
        gradients.at(-1)!.ne(0).any().item() === 0 && gradients.every((g) => g.ne(0).any().item() === 0);
      this.optimizer.step(gradients, this.learningRate(step));
      return { loss: value, zeroGradient };
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

  dispose(): void {
    this.#data.dispose();
    this.model.module.dispose();
    for (const value of this.optimizer.state.values()) value.dispose();
  }
}

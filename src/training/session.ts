import { fgsm, parseAttack, pgd, Target } from "../attacks/index.js";
import { deriveSeed, type Seed } from "../base/index.js";
import { augmentations, type Dataset, holdOut, subset, TensorSplit } from "../datasets/index.js";
import {
  capturesGraphs,
  checkDevice,
  operators as ops,
  scope,
  type Tensor,
  withoutHostAccess,
} from "../engine/index.js";
import { type Model, type Network, parseNetwork } from "../models/index.js";
import type { Optimizer, Schedule } from "../nn/index.js";
import type { TrainConfig } from "./config.js";
import type { Probe } from "./events.js";
import { trainingMethods } from "./methods/index.js";
import { optimizers } from "./optimizers.js";
import type { Standpoint } from "./overfitting/collapse.js";
import type { GuardRules } from "./overfitting/guard.js";
import { guards } from "./overfitting/guards.js";
import { measureSignals, type Signals } from "./overfitting/signals.js";
import { outputsFinite, probe } from "./probe.js";
import type { TrainingState } from "./run/checkpoint.js";
import { schedules } from "./schedules.js";
import { StepPlan } from "./step/plan.js";
import { StepRunner } from "./step/runner.js";
import { StepVariables } from "./step/variables.js";
import { type StepGradients, StepWork } from "./step/work.js";
import { WeightCopies } from "./weight-copies.js";

/** What steps tell. */
export interface StepOutcomes {
  readonly losses: readonly number[];
  readonly zeroGradient: boolean;
}

/**
 * Steps between two looks, at most, where the device goes on by itself: each look waits for it. An epoch of CIFAR-10 has 391 steps of
 * 128 images, so that none is made within it.
 */
const stepsPerDeviceLook = 512;

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
  readonly #heldOut: Int32Array;
  readonly #probePositions: Int32Array;
  /** The weights kept beside those in training. */
  readonly copies: WeightCopies;
  /** After how many steps `look` is due. */
  readonly stepsPerLook: number;
  readonly #method;
  readonly #plan: StepPlan;
  readonly #batchSize: number;
  readonly #variables: StepVariables;
  readonly #stepWork: StepWork;
  readonly #runner: StepRunner;
  /** Of the steps that were not looked at yet. */
  readonly #losses: Tensor;
  #unseen = 0;

  constructor(config: TrainConfig, dataset: Dataset, deviceName = "cpu") {
    const device = checkDevice(deviceName);
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
    this.#heldOut = heldOut;
    // Without held-out images the probe shows overfitting to an attack, which needs none, but not to the images.
    this.#probePositions = (heldOut.length > 0 ? heldOut : train).slice(0, config.probeImages);
    const build = () => {
      const model = network.build({ seed, sqa: config.sqa ?? undefined });
      model.module.to(device);
      return model;
    };
    this.model = build();
    this.optimizer = optimizers.parse(config.optimizer).optimizer(this.model.module.parameters());
    this.guardRules = guards.parse(config.guard).rules;
    const kept = {
      averaging: config.averaging,
      best: config.selection === "best",
      good: this.guardRules !== undefined,
    };
    this.copies = new WeightCopies(this.model, this.optimizer, kept, build);
    this.#method = trainingMethods.parse(config.method);
    this.#plan = new StepPlan({ seed: this.#seed, positions: train, batchSize, method: this.#method.label });
    this.stepsPerEpoch = this.#plan.stepsPerEpoch;
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
    this.#batchSize = Math.min(batchSize, train.length);
    this.stepsPerLook = capturesGraphs(device) ? stepsPerDeviceLook : 1;
    this.#losses = ops.zeros([this.stepsPerLook], "float64", device);
    const factors = this.optimizer.factorCount + this.copies.factorCount;
    this.#variables = new StepVariables({ batchSize: this.#batchSize, factors }, device);
    this.#runner = new StepRunner(device);
    this.#stepWork = new StepWork({
      config,
      model: this.model,
      data: this.#data,
      variables: this.#variables,
      augment: augmentations.parse(config.augmentation).augment,
      method: this.#method,
    });
  }

  /**
   * One step: makes the training images, and moves the weights by the gradient of the mean loss. Everything random is keyed by
   * the step. `stepScale` makes the method's step smaller. Returns a guard's signals where it measures them, which are those of
   * before the update; what else a step tells is read by `look`, which must come after `stepsPerLook` steps at the latest.
   */
  step(step: number, stepScale = 1): Signals | undefined {
    if (this.lookIsDue) throw new Error(`${this.#unseen} steps were made without a look`);
    const positions = this.#plan.positions(step);
    const count = positions.length;
    const factors = [...this.optimizer.nextFactors(this.learningRate(step)), ...this.copies.factors()];
    this.#variables.write({ slot: this.#unseen++, noise: this.#plan.noise(step), positions, factors });
    const interval = this.guardRules?.signalInterval;
    if (interval !== undefined && (step + 1) % interval === 0) {
      let signals: Signals | undefined;
      const measure = (found: StepGradients) => {
        signals = this.#signals(found, step);
      };
      this.#runner.once(() => this.#work(count, stepScale, measure));
      return signals;
    }
    const work = () => withoutHostAccess(() => this.#work(count, stepScale));
    if (count < this.#batchSize) this.#runner.once(work);
    else this.#runner.repeat(work, stepScale);
    return undefined;
  }

  /** A step without what tells it from others, which is in the variables. `see` is shown what was found before the update. */
  #work(count: number, stepScale: number, see?: (found: StepGradients) => void): readonly Tensor[] {
    const found = this.#stepWork.gradients(count, stepScale);
    see?.(found);
    const { slot, factors } = this.#variables;
    this.#losses.indexCopy_(0, slot, found.loss.reshape([1]));
    this.optimizer.update(found.gradients, factors);
    this.copies.follow(factors.slice(this.optimizer.factorCount));
    return found.gradients;
  }

  #signals({ batch, perturbed }: StepGradients, step: number): Signals {
    const { images, labels, imageIds } = batch;
    const context = { seed: deriveSeed(this.#seed, "signals", step), imageIds };
    const classifier = this.model.classifier({ precision: this.#config.precision });
    return measureSignals(new Target(classifier, context, this.#method.label), images, perturbed, labels);
  }

  /** Whether steps are replayed as a graph, or will be: not on the CPU, nor where a capture has failed. */
  get replays(): boolean {
    return this.#runner.captures;
  }

  get lookIsDue(): boolean {
    return this.#unseen === this.stepsPerLook;
  }

  /** The losses of the steps since the last look, and whether every gradient of the last was zero; waits for the device. */
  look(): StepOutcomes {
    const losses = scope(() => this.#losses.slice(0, 0, this.#unseen).toNumbers());
    this.#unseen = 0;
    const isZero = (gradient: Tensor) => scope(() => gradient.ne(0).any().item()) === 0;
    const { gradients } = this.#runner;
    // One gradient that is not zero settles it, and the last bias's is the cheapest to look at.
    const zeroGradient =
      gradients.length > 0 && losses.every(Number.isFinite) && [...gradients].reverse().every(isZero);
    this.#runner.forget();
    return { losses, zeroGradient };
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
    this.#runner.dispose();
    this.#variables.dispose();
    this.#losses.dispose();
    this.#data.dispose();
    this.copies.dispose();
    this.model.module.dispose();
    for (const value of this.optimizer.state.values()) value.dispose();
  }
}

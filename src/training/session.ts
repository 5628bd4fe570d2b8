import { pgd, Victim } from "../attacks/index.js";
import { countText, deriveSeed } from "../base/index.js";
import {
  alone,
  capturesGraphs,
  checkDevice,
  operators as ops,
  type Ranks,
  scope,
  type Tensor,
  withoutHostAccess,
} from "../engine/index.js";
import type { Model } from "../models/index.js";
import type { Classifier } from "../nn/index.js";
import {
  checkAugmentedImages,
  checkLastBatch,
  checkMethodImages,
  checkModelAnswers,
  checkValidationAttacks,
} from "./check-answers.js";
import type { TrainConfig } from "./config.js";
import { ballOf, singleStep } from "./methods/index.js";
import type { Standpoint } from "./overfitting/collapse.js";
import type { GuardRules } from "./overfitting/guard-state.js";
import { measureSignals, type Signals, signalsOverRanks } from "./overfitting/signals.js";
import { type Prepared, prepare } from "./prepare.js";
import type { TrainingState } from "./run/checkpoint.js";
import { StepRunner } from "./step/runner.js";
import { checkShared, shareOf } from "./step/share.js";
import { type StepGradients, type StepParts, trainingStep } from "./step/step.js";
import { StepVariables } from "./step/variables.js";
import { outputsFinite, type Validation, validate } from "./validation.js";

/** Losses and gradient health of the steps since the last look. */
export interface StepOutcomes {
  readonly losses: readonly number[];
  readonly zeroGradient: boolean;
}

/**
 * Most steps between two looks where the device goes on by itself: each look waits for it. An epoch of
 * CIFAR-10 has 391 steps of 128 images, so that none is made within it.
 */
const stepsPerDeviceLook = 512;

/** Validation images that a run shows under attack after each epoch. */
const shownImages = 8;

/** Run in progress: each call of `step` makes one training step. */
export class TrainingSession {
  readonly #prepared: Prepared;
  readonly #batchSize: number;
  readonly #stepsPerLook: number;
  readonly #parts: StepParts;
  readonly #runner: StepRunner;
  /** Losses of the steps that were not looked at yet. */
  readonly #losses: Tensor;
  #unseen = 0;

  /**
   * `ranks` are the processes that share each batch; all of them make the same calls. `sources` are the
   * opened models that the method names.
   */
  constructor(
    config: TrainConfig,
    deviceName = "cpu",
    readonly ranks: Ranks = alone,
    sources: readonly Classifier[] = [],
  ) {
    const device = checkDevice(deviceName);
    const prepared = prepare(config, device);
    const { model, data, plan, optimizer, copies } = prepared;
    this.#prepared = prepared;
    checkShared(ranks, plan, model.module);
    this.#batchSize = Math.ceil(plan.largestBatch / ranks.size);
    this.#stepsPerLook = capturesGraphs(device) ? stepsPerDeviceLook : 1;
    this.#losses = ops.zeros([this.#stepsPerLook], "float64", device);
    const factors = optimizer.factorCount + copies.factorCount;
    const variables = new StepVariables({ batchSize: this.#batchSize, factors }, device);
    const parameters = [...model.module.parameters().values()];
    this.#parts = { config, model, parameters, data, optimizer, copies, variables, ranks, sources };
    this.#runner = new StepRunner(device, ranks.size === 1);
    checkModelAnswers(model, data, prepared.seed);
    checkLastBatch(model, data, plan, prepared.seed);
    checkAugmentedImages(config, data, prepared.seed);
    checkMethodImages(config, model, data, prepared.seed, sources);
    checkValidationAttacks(config, model);
  }

  get config(): TrainConfig {
    return this.#prepared.config;
  }

  /** Model in training. */
  get model(): Model {
    return this.#prepared.model;
  }

  /** Model that is validated and saved: the averaged one where weights are averaged. */
  get evaluated(): Model {
    return this.copies.evaluated;
  }

  get optimizer() {
    return this.#prepared.optimizer;
  }

  get copies() {
    return this.#prepared.copies;
  }

  get stepsPerEpoch(): number {
    return this.#prepared.plan.stepsPerEpoch;
  }

  get totalSteps(): number {
    return this.#prepared.totalSteps;
  }

  /** Learning rate at a step. */
  learningRate(step: number): number {
    return this.#prepared.learningRate(step);
  }

  /** Undefined without a guard. */
  get guardRules(): GuardRules | undefined {
    return this.config.guard.rules;
  }

  /** Most steps between two looks. */
  get stepsPerLook(): number {
    return this.#stepsPerLook;
  }

  /**
   * Tells whether steps are replayed as a graph, or will be: not on the CPU, nor where a capture has failed.
   */
  get replays(): boolean {
    return this.#runner.captures;
  }

  get lookIsDue(): boolean {
    return this.#unseen === this.#stepsPerLook;
  }

  /** State that a checkpoint holds, to be read and to be loaded into. */
  get state(): TrainingState {
    return { module: this.model.module, optimizer: this.optimizer, copies: this.copies.copies };
  }

  /**
   * Makes one step; `stepScale` makes the method's step smaller. Returns a guard's signals of before the
   * update, at steps that measure them. Losses are read by `look`, which must come after `stepsPerLook` steps
   * at the latest.
   */
  step(step: number, stepScale = 1): Signals | undefined {
    if (this.lookIsDue) throw new Error(`${countText(this.#unseen, "step")} without a look`);
    const { plan } = this.#prepared;
    const { optimizer, copies, variables, config } = this.#parts;
    const { positions, count, share } = shareOf(plan.positions(step), this.ranks);
    const factors = [...optimizer.nextFactors(this.learningRate(step)), ...copies.factors()];
    const slot = this.#unseen++;
    this.#parts.data.stage(positions);
    variables.write({ slot, attackSeed: plan.attackSeed(step), noise: plan.noise(step), positions, factors });
    let signals: Signals | undefined;
    const interval = this.guardRules?.signalInterval;
    const measures = interval !== undefined && (step + 1) % interval === 0;
    const work = () => {
      const see = (found: StepGradients) => {
        if (measures) signals = this.#signals(found, step, share);
      };
      const { loss, gradients } = trainingStep(this.#parts, { count, share, stepScale }, see);
      this.#losses.indexCopy_(0, variables.slot, loss.reshape([1]));
      return gradients;
    };
    if (measures || config.method.readsBack) this.#runner.once(work);
    else if (count < this.#batchSize) this.#runner.once(() => withoutHostAccess(work));
    else this.#runner.repeat(() => withoutHostAccess(work), stepScale);
    return signals;
  }

  #signals({ batch, perturbed }: StepGradients, step: number, share: number): Signals {
    const { images, labels, imageIds } = batch;
    const { method, precision } = this.config;
    const context = { seed: deriveSeed(this.#prepared.seed, "signals", step), imageIds };
    const victim = new Victim(this.model.classifier({ precision }), context, method.name);
    return signalsOverRanks(this.ranks, share, measureSignals(victim, images, perturbed, labels));
  }

  /** Reads the losses of the steps since the last look, and whether every gradient of the last was zero. */
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

  /** Numbers of images that validation takes, and that are held out of training. */
  get counts(): { readonly validationImages: number; readonly heldOut: number } {
    const { validation, heldOut } = this.#prepared;
    return { validationImages: validation.length, heldOut: heldOut.length };
  }

  /** Accuracies of the validation images after an epoch, and a few of them under the last attack. */
  validate(epoch: number): Validation {
    const { data, validation, seed } = this.#prepared;
    const classifier = this.evaluated.classifier();
    const { validationAttacks } = this.config;
    const ofEpoch = deriveSeed(seed, "validation", epoch);
    return validate(classifier, data, validation, validationAttacks, ofEpoch, shownImages);
  }

  /**
   * Accuracies of held-out images under FGSM and PGD in the method's norm: of the model in training, which
   * overfits before its average.
   */
  guardCheck(step: number): Standpoint {
    const { steps } = this.guardRules!;
    const { data, guarded, seed } = this.#prepared;
    const ball = ballOf(this.config.method)!;
    const attacks = [singleStep(ball), pgd({ ...ball, steps, stepSize: ball.epsilon / 4 })];
    const classifier = this.model.classifier();
    const found = validate(classifier, data, guarded, attacks, deriveSeed(seed, "guard", step));
    const [weak, strong] = found.validation;
    return { clean: found.clean, weak: weak!.accuracy, strong: strong!.accuracy };
  }

  /** Tells whether validation images, or a guard's by the model in training, have finite answers. */
  outputsFinite(of: "validation" | "guard" = "validation"): boolean {
    const { data, validation, guarded, seed } = this.#prepared;
    const [model, images] = of === "guard" ? [this.model, guarded] : [this.evaluated, validation];
    return outputsFinite(model.classifier(), data, images, seed);
  }

  /** Frees everything but a module that is its user's. */
  dispose(): void {
    this.#runner.dispose();
    this.#parts.variables.dispose();
    this.#losses.dispose();
    this.#prepared.data.dispose();
    this.copies.dispose();
    for (const value of this.optimizer.state.values()) value.dispose();
  }
}

import { deriveSeed, type Seed } from "../base/index.js";
import { drawnFrom, liesByClass, type Split, setApart, subset, TensorSplit } from "../datasets/index.js";
import type { Model } from "../models/index.js";
import type { OptimizerRun } from "../nn/index.js";
import type { TrainConfig } from "./config.js";
import { loadInitialWeights } from "./initial-weights.js";
import { StepPlan } from "./step/plan.js";
import { WeightCopies } from "./weight-copies.js";

/** Configuration made ready: model, optimizer, images and plan. */
export interface Prepared {
  readonly config: TrainConfig;
  readonly device: string;
  readonly seed: Seed;
  readonly model: Model;
  readonly optimizer: OptimizerRun;
  /** Weights kept beside those in training. */
  readonly copies: WeightCopies;
  readonly data: TensorSplit;
  readonly plan: StepPlan;
  readonly totalSteps: number;
  /** Learning rate at each step. */
  readonly learningRate: (step: number) => number;
  /** Positions of the images that are held out, and of those that validation and a guard attack. */
  readonly heldOut: Int32Array;
  readonly validation: Int32Array;
  readonly guarded: Int32Array;
}

/** A step takes two draws of noise, which are numbered below 2^32. */
const mostSteps = 2 ** 31;

function checkAtMost(name: string, value: number, most: number, why: string): void {
  if (value > most) throw new RangeError(`${name} must be at most ${most}, not ${value}: ${why}`);
}

/**
 * Makes a configuration ready on a device. RangeError where it asks for more images or steps than there are.
 */
export function prepare(config: TrainConfig, device: string): Prepared {
  const { data: dataset, seed: given, batchSize, epochs, method } = config;
  const seed = deriveSeed(given, "training");
  const whole = dataset.train;
  checkAtMost(
    "limit",
    config.limit ?? whole.count,
    whole.count,
    `data set ${dataset.name} has no more training images`,
  );
  const split = config.limit === null ? whole : subset(whole, config.limit);
  checkAtMost("heldOut", config.heldOut, split.count - 1, "one of the images must be left to train on");
  const { train, heldOut } = setApart(split, config.heldOut, deriveSeed(given, "hold out"));
  const plan = new StepPlan({ seed, positions: train, batchSize, method: method.name });
  const { stepsPerEpoch } = plan;
  checkAtMost("epochs", epochs, Math.floor(mostSteps / stepsPerEpoch), `an epoch has ${stepsPerEpoch} steps`);
  const build = () => {
    const model = config.model.build({ seed: given, defenses: config.defenses });
    if (config.initialWeights !== null) loadInitialWeights(model, config.initialWeights);
    model.module.to(device);
    return model;
  };
  const model = build();
  const optimizer = config.optimizer.on(model.module.parameters());
  const kept = {
    averaging: config.averaging,
    best: config.selection === "best",
    good: config.guard.rules !== undefined,
  };
  return {
    config,
    device,
    seed,
    model,
    optimizer,
    copies: new WeightCopies(model, optimizer, kept, build),
    plan,
    totalSteps: epochs * stepsPerEpoch,
    learningRate: config.schedule.rates({ epochs, stepsPerEpoch }),
    heldOut,
    validation: validationOf(config, split, { train, heldOut }),
    guarded: drawnFrom(heldOut, config.guard.rules?.images ?? 0, deriveSeed(given, "guard images")),
    // Last, so that nothing this large is made for a configuration that is refused.
    data: new TensorSplit(split, { device }),
  };
}

/** Positions of the images that validation attacks: of those held out, where there are any. */
function validationOf(
  { validationImages: count, seed }: TrainConfig,
  split: Split,
  { train, heldOut }: ReturnType<typeof setApart>,
): Int32Array {
  const draw = deriveSeed(seed, "validation images");
  if (heldOut.length > 0) return drawnFrom(heldOut, count, draw);
  // Training images show overfitting to an attack, but not to the images. The first of a shuffled data set
  // are a fair sample; those of images that lie by class would be of the first classes alone.
  return liesByClass(split, train) ? drawnFrom(train, count, draw) : train.slice(0, count);
}

import { createHash } from "node:crypto";
import * as z from "zod";
import { essentialLabel } from "../attacks/contract/essential-label.js";
import { parseAttack } from "../attacks/index.js";
import { augmentations, datasetByName } from "../datasets/index.js";
import { parseNetwork, quantizationOptions } from "../models/index.js";
import { precisions } from "../nn/index.js";
import { parseCall } from "../options/call.js";
import { ratio } from "../options/ratio.js";
import { readBy } from "../options/read-by.js";
import { changedOptions, parseOptions } from "../options/schema.js";
import { trainingMethods } from "./methods/index.js";
import { optimizers } from "./optimizers.js";
import { guards } from "./overfitting/guards.js";
import { schedules } from "./schedules.js";

/**
 * Part of every run's hash: raised when a default changes, here or in a network, method, optimizer, schedule or attack, so
 * that runs of before are not taken for runs of after. A new option leaves it, and every hash, as it is.
 * Since version 3 SQA rounds by other draws.
 */
const configVersion = 3;

/** Everything that decides a run's weights; the hash of what differs from the defaults is the run's identity. */
export const trainConfigSchema = z.strictObject({
  network: readBy("a network such as small or resnet18(classes=100)", parseNetwork)
    .default("small")
    .describe("which network"),
  sqa: quantizationOptions.nullable().default(null).describe("where SQA stands; nowhere by default"),
  dataset: readBy("a data set such as mnist", datasetByName).default("mnist").describe("which data set"),
  limit: z.int().min(1).nullable().default(null).describe("train on the first so many images only"),
  holdOut: z.int().min(0).default(0).describe("training images kept apart, to choose between settings by"),
  augmentation: readBy("an augmentation such as crop-flip", (text) => augmentations.parse(text))
    .default("none")
    .describe("how images are varied before anything is made of them"),
  method: readBy("a training method such as fgsm(epsilon=0.3)", (text) => trainingMethods.parse(text))
    .default("fgsm(epsilon=0.3)")
    .describe("how training images are made"),
  cleanShare: ratio({ min: 0, below: 1 }).default(0).describe("weight of the clean images' loss beside the method's"),
  epochs: z.int().min(1).default(5).describe("passes over the training images"),
  batchSize: z.int().min(1).default(128).describe("images in a step"),
  precision: z.enum(precisions).default("float32").describe("what layers compute in; weights and losses stay float32"),
  optimizer: readBy("an optimizer such as sgd(momentum=0.9)", (text) => optimizers.parse(text))
    .default("sgd(momentum=0.9, weightDecay=0.0005)")
    .describe("what changes the weights"),
  schedule: readBy("a schedule such as one-cycle(peak=0.05)", (text) => schedules.parse(text))
    .default("one-cycle(peak=0.05)")
    .describe("learning rate"),
  labelSmoothing: ratio({ min: 0, below: 1 }).default(0).describe("share of the labels spread over all classes"),
  averaging: ratio({ min: 0, below: 1 })
    .default(0)
    .describe("decay of the weights' exponential mean, which is what is evaluated and saved; 0 for none"),
  selection: z
    .enum(["last", "best"])
    .default("last")
    .describe("epoch whose weights are saved: the last, or the best under the last probe of held-out images"),
  guard: readBy("a guard such as roll-back", (text) => guards.parse(text))
    .default("none")
    .describe("what watches for catastrophic overfitting between epochs"),
  probeImages: z
    .int()
    .min(1)
    .default(1000)
    .describe("training images that are attacked after each epoch, held out ones if any"),
  probes: z
    .array(readBy("an attack such as pgd(epsilon=0.2)", parseAttack))
    .default(["fgsm(epsilon=0.3)", "pgd(epsilon=0.3, stepSize=0.03, steps=20)"])
    .describe("attacks after each epoch: the first single-step, the last the strongest"),
  seed: z.int().min(0).default(0).describe("seed of weights, shuffling and noise"),
});

export type TrainConfig = z.output<typeof trainConfigSchema>;
export type TrainConfigInput = z.input<typeof trainConfigSchema>;

/** Named starting points for a configuration. */
export const presets = {
  /** The paper's recipe, section 4: SGD 0.1, momentum 0.9, decay 5e-4, 100 epochs, a tenth every 30, batches of 128. */
  paper: { epochs: 100, schedule: "step(peak=0.1, epochs=30, factor=0.1)", cleanShare: 0.5 },
  /**
   * A few epochs on FGSM images from a random start, at half the paper's rate: the recipe tried on which SQA trained well
   * from every seed (docs/reproduction.md).
   */
  short: { epochs: 4, schedule: "one-cycle(peak=0.05)", method: "fgsm-rs(epsilon=0.3)", cleanShare: 0 },
  /**
   * What the field trains with now (FastAT Benchmark) on CIFAR-10: N-FGSM, one cycle, smoothed labels, averaged weights, and the
   * epoch that is best on held-out training images. Its noise of two epsilon is too much at MNIST's 0.3.
   */
  modern: {
    dataset: "cifar10",
    network: "preact-resnet18",
    augmentation: "crop-flip",
    epochs: 30,
    schedule: "one-cycle(peak=0.1)",
    method: "n-fgsm(epsilon=8/255)",
    labelSmoothing: 0.4,
    averaging: 0.9995,
    selection: "best",
    holdOut: 1000,
    probes: ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=2/255, steps=10)"],
  },
  /** MNIST in half a minute: Wong et al.'s recipe at twice their rate, on a small network of our own. */
  fast: {
    network: "compact",
    epochs: 5,
    batchSize: 100,
    method: "fgsm-rs(epsilon=0.3)",
    optimizer: "adam",
    schedule: "one-cycle(peak=0.01)",
    probeImages: 250,
  },
} satisfies Record<string, TrainConfigInput>;
export type PresetName = keyof typeof presets;

/**
 * A checked configuration with all defaults filled in, inside calls as well, and everything in one order: two ways to
 * write the same run become equal. Throws a RangeError that names every fault.
 */
export function trainConfig(given: TrainConfigInput = {}): TrainConfig {
  const config = parseOptions("training configuration", "train", trainConfigSchema, given);
  checkTogether(config);
  return {
    ...config,
    network: parseNetwork(config.network).label,
    sqa: config.sqa === null ? null : completeQuantization(config.network, config.sqa),
    augmentation: augmentations.parse(config.augmentation).label,
    method: trainingMethods.parse(config.method).label,
    optimizer: optimizers.parse(config.optimizer).label,
    schedule: schedules.parse(config.schedule).label,
    guard: guards.parse(config.guard).label,
    probes: config.probes.map((text) => parseAttack(text).label),
  };
}

/** What options ask of each other. */
function checkTogether({ selection, probes, guard, holdOut, method }: TrainConfig): void {
  const heldOut = "images that are not trained on: set holdOut to 1 or more (--hold-out)";
  if (selection === "best" && holdOut === 0) throw new RangeError(`selection "best" needs ${heldOut}`);
  if (selection === "best" && probes.length === 0) throw new RangeError('selection "best" needs a probe to choose by');
  if (guards.parse(guard).rules === undefined) return;
  if (holdOut === 0) throw new RangeError(`guard ${guard} needs ${heldOut}`);
  if (trainingMethods.parse(method).epsilon === undefined) {
    throw new RangeError(`guard ${guard} needs a method that trains for a radius epsilon, not ${method}`);
  }
}

function completeQuantization(network: string, { layers, ...rest }: NonNullable<TrainConfig["sqa"]>) {
  const placed = Object.entries(layers ?? parseNetwork(network).quantizedLayers);
  const sorted = placed.sort(([a], [b]) => (a < b ? -1 : 1));
  return { layers: Object.fromEntries(sorted), ...rest };
}

/** A configuration whose calls hold only what differs from their defaults. */
function essentials(config: TrainConfig): Record<string, unknown> {
  return {
    ...config,
    network: parseNetwork(config.network).shortLabel,
    sqa: config.sqa === null ? null : changedOptions(quantizationOptions, config.sqa),
    augmentation: augmentations.parse(config.augmentation).shortLabel,
    method: trainingMethods.parse(config.method).shortLabel,
    optimizer: optimizers.parse(config.optimizer).shortLabel,
    schedule: schedules.parse(config.schedule).shortLabel,
    guard: guards.parse(config.guard).shortLabel,
    probes: config.probes.map(essentialLabel),
  };
}

/**
 * The identity of a configuration's run: the first 8 hexadecimal digits of the SHA-256 of `configVersion` and the options that
 * differ from the defaults, by name.
 */
export function configHash(config: TrainConfig): string {
  const defaults = essentials(trainConfig());
  const changed = Object.entries(essentials(trainConfig(config)))
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(defaults[name]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([configVersion, changed]))
    .digest("hex")
    .slice(0, 8);
}

/** What a config.json holds, as a configuration; also one of version 1, where batch normalization stood beside the network. */
export function storedConfig(stored: Record<string, unknown>): TrainConfig {
  const { batchNorm, ...config } = stored;
  if (batchNorm === undefined) return trainConfig(config);
  return trainConfig({ ...config, network: `${config.network}(batchNorm=${batchNorm})` });
}

/** The name of a run's folder: what a reader looks for first, then the hash. */
export function runName(config: TrainConfig): string {
  const kind = config.sqa === null ? "full" : "sqa";
  const [network, method] = [config.network, config.method].map((text) => parseCall(text).name);
  return `${config.dataset}-${network}-${kind}-${method}-seed${config.seed}-${configHash(config)}`;
}

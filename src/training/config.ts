import { createHash } from "node:crypto";
import * as z from "zod";
import { type Attack, attacks } from "../attacks/index.js";
import { checkKind, isObject } from "../base/index.js";
import { type Augmentation, augmentations, type Dataset, datasets } from "../datasets/index.js";
import { defenses } from "../defenses/index.js";
import { type Architecture, type Defense, isGraphFile, models } from "../models/index.js";
import {
  type Optimizer,
  optimizers,
  type Precision,
  precisions,
  type Schedule,
  schedules,
} from "../nn/index.js";
import { codeOf, parseOptions, ratio } from "../options/index.js";
import type { TrainConfigInput } from "./config-input.js";
import { type InitialWeights, initialWeightsOption } from "./initial-weights.js";
import { ballOf, methodOption, methods, type TrainingMethod, usualAttacks } from "./methods/index.js";
import { type Guard, guards } from "./overfitting/guards/index.js";

/** Checked configuration: every option has its value. JSON holds their texts. */
export interface TrainConfig {
  readonly model: Architecture;
  readonly data: Dataset;
  readonly defenses: readonly Defense[];
  readonly initialWeights: InitialWeights | null;
  readonly method: TrainingMethod;
  readonly epochs: number;
  readonly batchSize: number;
  readonly limit: number | null;
  readonly heldOut: number;
  readonly augmentation: Augmentation;
  readonly cleanWeight: number;
  readonly precision: Precision;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly labelSmoothing: number;
  readonly averaging: number;
  readonly selection: "last" | "best";
  readonly guard: Guard;
  readonly validationImages: number;
  readonly validationAttacks: readonly Attack[];
  readonly seed: number;
}

/** Recognizes a thing of a user's own, of no kind, by a property that it has. */
const ownBy = (property: string) => (given: unknown) =>
  isObject(given) && !("call" in given) && property in given;

/** Schema of a data set, or of images of a user's own. */
export const dataOption = datasets.option(ownBy("train"), ", or what imagesOf returns") as z.ZodType<
  Dataset,
  unknown
>;

/** Options of a training configuration, with their defaults and their help. */
export const trainConfigSchema = z.strictObject({
  model: (
    models.option(ownBy("build"), ", or what modelOf returns") as z.ZodType<Architecture, unknown>
  ).describe("architecture, or a model of your own"),
  data: dataOption.describe("data set, or images of your own"),
  defenses: z.array(defenses.option()).default([]).describe("defenses, in the order of their application"),
  initialWeights: initialWeightsOption
    .nullable()
    .default(null)
    .describe("weights to begin with, in safetensors or a PyTorch checkpoint (default: those of the seed)"),
  method: methodOption
    .optional()
    .describe("method that makes the training images (default: FGSM at the usual radius)"),
  epochs: z.int().min(1).default(5).describe("passes over the training images"),
  batchSize: z.int().min(1).default(128).describe("images in a step"),
  limit: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe("number of training images, the first ones (default: all)"),
  heldOut: z
    .int()
    .min(0)
    .default(0)
    .describe("training images held out for validation; with 0, validation uses images that are trained on"),
  augmentation: augmentations
    .option()
    .default(() => augmentations.parse("none"))
    .describe("augmentation of the images"),
  cleanWeight: ratio({ min: 0, below: 1 })
    .optional()
    .describe("weight of the clean images' loss beside the method's (default: the method's own, mostly 0)"),
  precision: z
    .enum(precisions)
    .default("float32")
    .describe("precision of layers; weights and losses stay float32"),
  optimizer: optimizers
    .option()
    .default(() => optimizers.parse("sgd"))
    .describe("optimizer of the weights"),
  schedule: schedules
    .option()
    .default(() => schedules.parse("one-cycle(peak=0.05)"))
    .describe("learning rate"),
  labelSmoothing: ratio({ min: 0, below: 1 })
    .default(0)
    .describe("share of the labels spread over all classes"),
  averaging: ratio({ min: 0, below: 1 })
    .default(0)
    .describe("decay of the weights' exponential mean, which is then evaluated and saved; 0 for none"),
  selection: z
    .enum(["last", "best"])
    .default("last")
    .describe("epoch whose weights are saved: the last, or the best under the last validation attack"),
  guard: guards
    .option()
    .default(() => guards.parse("none"))
    .describe("guard against catastrophic overfitting"),
  validationImages: z.int().min(1).default(1000).describe("images that are attacked after each epoch"),
  validationAttacks: z
    .array(attacks.option())
    .optional()
    .describe("attacks after each epoch, the last the strongest (default: FGSM and PGD of 20 steps)"),
  seed: z.int().min(0).default(0).describe("seed of weights, shuffling and noise"),
});

/** Throws a RangeError for a path in an architecture's place. */
function checkNoRun(model: unknown): void {
  if (typeof model !== "string" || model.includes("(") || !/[/\\]/.test(model)) return;
  throw new RangeError(
    isGraphFile(model)
      ? `model: ${model}: a file is no architecture: give what modelFromFile returns`
      : `model: ${model}: a run folder is no architecture: give the model, and initialWeights`,
  );
}

/**
 * Checked configuration, its model fitted to the data set, all defaults filled in.
 *
 * @throws RangeError or TypeError that names every fault
 * @example
 * trainConfig({ model: "small", data: "mnist", method: "fgsm(epsilon=0.3)" })
 */
export function trainConfig(given: TrainConfigInput): TrainConfig {
  checkKind(
    "the configuration",
    given,
    "an object such as { model: small(), data: mnist() }",
    isObject(given),
  );
  checkNoRun(given.model);
  const written = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const checked = parseOptions("training", "configuration", trainConfigSchema, written);
  const { data, method = usualMethod(data) } = checked;
  const { cleanWeight = method.cleanWeight ?? 0 } = checked;
  const config: TrainConfig = {
    ...checked,
    model: checked.model.fittedTo(data, `data set ${data.name}`),
    method,
    cleanWeight,
    validationAttacks: checked.validationAttacks ?? usualAttacksFor(method, data),
  };
  checkTogether(config);
  return config;
}

/** FGSM at a data set's usual radius, as the paper trains. */
function usualMethod(data: Dataset): TrainingMethod {
  if (data.epsilon !== undefined) return methods.parse({ name: "fgsm", options: { epsilon: data.epsilon } });
  throw new RangeError(
    `give a method such as fgsm(epsilon=8/255): data set ${data.name} has no usual radius`,
  );
}

/** Usual attacks in the ball that a method trains for, or at the data set's usual radius. */
function usualAttacksFor(method: TrainingMethod, { epsilon }: Dataset): Attack[] {
  const ball = ballOf(method);
  return ball === undefined ? usualAttacks(epsilon) : usualAttacks(ball.epsilon, ball.norm);
}

/** Checks what options ask of each other. */
function checkTogether({ selection, validationAttacks, guard, heldOut, method }: TrainConfig): void {
  const apart = "images that are not trained on: set heldOut to 1 or more (--held-out)";
  if (selection === "best" && heldOut === 0) throw new RangeError(`selection "best" needs ${apart}`);
  if (selection === "best" && validationAttacks.length === 0) {
    throw new RangeError('selection "best" needs a validation attack to choose by');
  }
  if (guard.rules === undefined) return;
  if (heldOut === 0) throw new RangeError(`guard ${guard} needs ${apart}`);
  const ball = ballOf(method);
  if (ball === undefined || ball.epsilon === 0) {
    throw new RangeError(`guard ${guard} needs a method that trains for a radius epsilon, not ${method}`);
  }
}

/** Identity of the weights to begin with: their file's hash, and the choice in it where there is any. */
function weightsIdentity({ sha256, key, prefix }: InitialWeights): unknown {
  return key === undefined && prefix === undefined ? sha256 : { sha256, key, prefix };
}

/**
 * Code of the user's own values in a configuration: undefined where all are the package's. Images go by what
 * they contain.
 */
export function ownCode({ data: _, ...config }: TrainConfig): string | undefined {
  return codeOf(Object.values(config));
}

/** Options of a configuration that differ from their defaults, by name, as text and numbers. */
export function essentials(config: TrainConfig): [string, unknown][] {
  const { model, data, method } = config;
  const defaults = trainConfig({ model, data, method });
  const text = (value: unknown) => JSON.stringify(value);
  const identity = ([name, value]: [string, unknown]): [string, unknown] => [
    name,
    name === "initialWeights" ? weightsIdentity(config.initialWeights!) : JSON.parse(text(value)),
  ];
  const changed = (Object.entries(config) as [keyof TrainConfig, unknown][])
    .filter(
      ([name, value]) => text(value) !== text(defaults[name]) && !["model", "data", "method"].includes(name),
    )
    .map(identity);
  const essential: [string, unknown][] = [
    ["model", model.own === undefined ? String(model) : `${model} ${model.own.hash}`],
    ["data", data.identity],
    ["method", String(method)],
    ...changed,
  ];
  const code = ownCode(config);
  if (code !== undefined) essential.push(["code", code]);
  return essential.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Identity of a configuration's run: the first 8 hexadecimal digits of the SHA-256 of its essentials. */
export function configHash(config: TrainConfig): string {
  return createHash("sha256")
    .update(JSON.stringify(essentials(config)))
    .digest("hex")
    .slice(0, 8);
}

/** Name of a run's folder: what a reader looks for first, then the hash. */
export function runName(config: TrainConfig): string {
  const { data, model, defenses: chosen, method, seed } = config;
  const defended = chosen.length === 0 ? "plain" : chosen.map(({ name }) => name).join("+");
  return `${data.name}-${model.name}-${defended}-${method.name}-seed${seed}-${configHash(config)}`;
}

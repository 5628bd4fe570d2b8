import * as z from "zod";
import type { Attack, AttackText } from "../attacks/index.js";
import { type Dataset, type DatasetText, mnist } from "../datasets/index.js";
import { type Architecture, type ModelText, small } from "../models/index.js";
import { precisions } from "../nn/index.js";
import {
  type MethodText,
  methodOption,
  presets,
  type TrainingMethod,
  trainConfigSchema,
} from "../training/index.js";

// Options that tables share: one name and one meaning for each.

/** Option of an architecture, or of a model of a user's own. */
export const architecture = trainConfigSchema.shape.model as z.ZodType<
  Architecture,
  Architecture | ModelText
>;

/** Option of a data set, or of images of a user's own. */
export const dataset = trainConfigSchema.shape.data as z.ZodType<Dataset, Dataset | DatasetText>;

/** Option of a training method, or of an attack that stands for it. */
export const method = methodOption as z.ZodType<
  TrainingMethod,
  TrainingMethod | Attack | MethodText | AttackText
>;

const images = z.int().min(1);

/** Options that say how much is trained and asked. */
export const sizeOptions = {
  seeds: z.int().min(1).max(1000).default(3).describe("seeds of each row, from 0"),
  epochs: z.int().min(1).optional().describe("epochs of training (default: the preset's)"),
  limit: images.optional().describe("number of test images, the first ones (default: all)"),
  attackLimit: images
    .optional()
    .describe("those under strong attacks, at most limit (default: 1000, or limit)"),
  precision: z.enum(precisions).default("float32").describe("precision of training"),
};

/** Option of the number of training images. */
export const trainImages = images
  .optional()
  .describe("number of training images, the first ones (default: all)");

/** Option of the rows that a table makes: a list of some of its keys. */
export function rowsOption(keys: readonly string[]) {
  return z
    .array(z.string())
    .refine((given) => given.every((key) => keys.includes(key)))
    .meta({ accepted: `a list of: ${keys.join(" | ")}` });
}

/** Options of tables on MNIST. */
export const mnistOptions = {
  ...sizeOptions,
  fullSeeds: z.int().min(1).max(1000).optional().describe("seeds in full precision (default: as seeds)"),
  preset: z.enum(["paper", "mnist-short"]).default("paper").describe("recipe of training"),
  data: dataset.default(() => mnist()).describe("data set"),
};

/** Option of the model of a table on MNIST. */
export const mnistModel = architecture.default(() => small()).describe("model of the table");

/** Names of all presets of training. */
export const presetNames = Object.keys(presets) as [keyof typeof presets, ...(keyof typeof presets)[]];

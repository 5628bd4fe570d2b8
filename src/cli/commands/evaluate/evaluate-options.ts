import * as z from "zod";
import { attacks as attackKind } from "../../../attacks/index.js";
import { mostDraws } from "../../../trials/index.js";
import {
  architectureOption,
  defenseOptions,
  expectCleanOption,
  exportedOptions,
  imagesOption,
  listOption,
  weightsOptions,
} from "../../frame/inputs/input-options.js";
import { deviceOption, runOptions, textOption } from "../../frame/run-options.js";
import { shardOptions } from "../shards/shard-options.js";

/** Options of `sqa evaluate`. */
export const evaluateOptions = z.strictObject({
  architecture: architectureOption.optional().describe("architecture of weights, or of a run's own model"),
  images: imagesOption
    .optional()
    .describe("images to evaluate on, by name or path (default: those of the run)"),
  split: z.enum(["test", "train", "all"]).default("test").describe("split of the images"),
  limit: z.int().min(1).optional().describe("number of images, the first ones (default: all)"),
  ...weightsOptions,
  expectClean: expectCleanOption,
  ...defenseOptions,
  ...exportedOptions,
  attack: listOption(attackKind.option())
    .optional()
    .describe(
      "attack; none for clean accuracy alone (default: FGSM and PGD of 20 steps at the epsilon that the " +
        "run trained for, else at the images' usual radius)",
    ),
  surrogate: textOption("NAME|MODEL")
    .optional()
    .describe(
      "attack one of the model's surrogates, or another model, and show the adversarial images to the model",
    ),
  draws: z
    .int()
    .min(1)
    .max(mostDraws)
    .default(100)
    .describe(
      "fresh draws of a randomized model for each image; with 10 the evaluation is three times as quick",
    ),
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  batchSize: z
    .int()
    .min(1)
    .default(500)
    .describe("most images attacked together; results do not depend on it"),
  out: textOption("FOLDER")
    .optional()
    .describe(
      "folder that keeps finished batches until the end, or a shard's work (default: the run folder, else " +
        "evaluations)",
    ),
  ...shardOptions,
  threads: runOptions.threads,
  device: deviceOption,
  verbose: z.boolean().default(false).describe("name attacks by all their options"),
  json: z.boolean().default(false).describe("print JSON: an object, or a list of several models'"),
});

/** Checked options of `sqa evaluate`. */
export type EvaluateCommandOptions = z.output<typeof evaluateOptions>;

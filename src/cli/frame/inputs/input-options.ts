import { existsSync } from "node:fs";
import * as z from "zod";
import { isModuleFile } from "../../../base/index.js";
import { datasets } from "../../../datasets/index.js";
import { defenses } from "../../../defenses/index.js";
import { type Defense, models, statisticsOf } from "../../../models/index.js";
import { ratio } from "../../../options/index.js";
import { UsageError } from "../usage-error.js";

/** Text of an option that also takes files: it is checked at once where it is no path. */
function textOr(accepted: string, placeholder: string, parse: (text: string) => unknown): z.ZodString {
  return z
    .string()
    .min(1)
    .meta({ accepted, placeholder })
    .check((context) => {
      if (looksLikePath(context.value) || existsSync(context.value)) return;
      try {
        parse(context.value);
      } catch (error) {
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        context.issues.push({ code: "custom", message: error.message, input: context.value });
      }
    });
}

/** Tells whether a text names a file or folder: a call has parentheses where it has slashes or dots. */
export function looksLikePath(text: string): boolean {
  const plain = !text.includes("(");
  return plain && (/[/\\]/.test(text) || isModuleFile(text) || /\.[A-Za-z][A-Za-z0-9]{1,11}$/.test(text));
}

/** List of values of which `none`, by itself, stands for no value. */
export function listOption<T>(item: z.ZodType<T, T | string>): z.ZodType<T[]> {
  const read = (given: unknown, context: z.core.$RefinementCtx) => {
    if (!Array.isArray(given) || !given.includes("none")) return given;
    if (given.length === 1) return [];
    context.issues.push({
      code: "custom",
      message: "none stands alone: leave it out, or the others",
      input: given,
    });
    return z.NEVER;
  };
  return z.preprocess(read, z.array(item));
}

/** Option of the images that a command works on. */
export const imagesOption = textOr(
  "a data set such as mnist, a folder or file of images, or a module file that exports data",
  "IMAGES",
  (text) => datasets.parse(text),
);

/** Option of the clean accuracy that a model is known to have. */
export const expectCleanOption = ratio({ above: 0, max: 1 })
  .optional()
  .describe(
    "known clean accuracy, such as 0.76; where the measured one differs, stop and list the usual causes",
  );

/** Option of the architecture of weights, or of a run's own model. */
export const architectureOption = textOr(
  "an architecture such as resnet18, an exported model (.pt2, .onnx), or a module file",
  "ARCHITECTURE",
  (text) => models.parse(text),
);

/** Option of the model to train. */
export const trainedModelOption = textOr(
  "an architecture such as resnet18, a run folder, an exported model (.pt2, .onnx), weights in " +
    "safetensors, a Hugging Face or timm folder, or a module file that exports model",
  "MODEL",
  (text) => models.parse(text),
);

/** Mean and deviation as they are written for one channel, and for three. */
const statisticsForms = "0.1307/0.3081, or 0.4,0.4,0.4/0.25,0.25,0.25 for three channels";

/** Options of exported models. */
export const exportedOptions = {
  normalize: z
    .string()
    .meta({ accepted: `imagenet, or MEAN/STD with a number for each channel, such as ${statisticsForms}` })
    .optional()
    .check(({ value, issues }) => {
      if (value === undefined || statisticsOf(value) !== undefined) return;
      issues.push({
        code: "custom",
        message: `give imagenet, or MEAN/STD such as ${statisticsForms}`,
        input: value,
      });
    })
    .describe(
      "mean and deviation to normalize images by, for an exported model that does not do so itself " +
        "(default: none)",
    ),
  exactGradients: z
    .boolean()
    .default(false)
    .describe("leave gradients blocked where an exported model blocks them, such as by rounding"),
};

/** Options of the weights in a file. */
export const weightsOptions = {
  key: z
    .string()
    .min(1)
    .optional()
    .describe(
      "entry of a checkpoint that holds the weights, such as state_dict (default: the only one that can)",
    ),
  prefix: z
    .string()
    .min(1)
    .optional()
    .describe("load only the weights whose names begin with this prefix, such as model., and strip it"),
};

/** Tells whether a text names a file of weights: safetensors, or a PyTorch checkpoint. */
export const isWeightsFile = (text: string) => /\.(safetensors|pt|pth|ckpt|bin|th)(\.tar)?$/i.test(text);

/** Options of a model's defenses. */
export const defenseOptions = {
  defense: listOption(defenses.option())
    .optional()
    .describe("defense of the model, in the order of application; none for an undefended model"),
  sqa: z.boolean().default(false).describe("short for --defense sqa"),
};

/** Defenses that the options ask for; undefined where they say nothing. */
export function defensesOf(given: {
  readonly defense?: readonly Defense[] | undefined;
  readonly sqa: boolean;
}): readonly Defense[] | undefined {
  if (!given.sqa) return given.defense;
  if (given.defense?.some(({ name }) => name === "sqa") === true) {
    throw new UsageError("give --sqa or --defense sqa: together they would place it twice");
  }
  return [defenses.parse("sqa"), ...(given.defense ?? [])];
}

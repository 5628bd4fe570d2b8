import * as z from "zod";
import { attacks } from "../../../attacks/index.js";
import { budgetNames, figureMeaning } from "../../../evaluation/index.js";
import { ratio } from "../../../options/index.js";
import {
  architectureOption,
  defenseOptions,
  expectCleanOption,
  exportedOptions,
  imagesOption,
  weightsOptions,
} from "../../frame/inputs/input-options.js";
import { deviceOption, runOptions, textOption } from "../../frame/run-options.js";
import { shardOptions } from "../shards/shard-options.js";

/** Options of `sqa audit`. */
export const auditOptions = z.strictObject({
  budget: z.enum(budgetNames).default("standard").describe("number of images, and of passes for each"),
  epsilon: ratio({ above: 0 })
    .optional()
    .describe(
      "radius of the attacks (default: the claim's, else the epsilon that the run trained for in this " +
        "norm, else the images' usual radius)",
    ),
  norm: z.enum(["linf", "l2"]).optional().describe("norm of the radius (default: the claim's, else linf)"),
  claim: attacks
    .option()
    .optional()
    .describe(
      "attack that a claimed accuracy was measured by (default: no claim; PGD of 40 steps is the reference)",
    ),
  require: textOption("CRITERION")
    .optional()
    .describe(
      "criterion such as 'worst >= 0.40', written down before the first attack; the exit code is 0 where " +
        `it is met, 1 where not, 2 where undecided; figures: ${Object.keys(figureMeaning).join(", ")}`,
    ),
  baseline: textOption("AUDIT.JSON")
    .optional()
    .describe(
      "earlier audit to compare with; the exit code is 1 if robustness fell significantly on the same images",
    ),
  resolution: z
    .number()
    .gt(0)
    .max(100)
    .default(5)
    .describe(
      "percentage points: an audit that finds no fault, but could miss a larger difference, is inconclusive",
    ),
  author: z.string().min(1).optional().describe("person or body that audits, for the report"),
  source: z.string().min(1).optional().describe("origin and license of the images, for the report"),
  surrogate: z
    .array(textOption("MODEL"))
    .default([])
    .describe("another model, whose adversarial images are shown to this one"),
  architecture: architectureOption.optional().describe("architecture of weights, or of a run's own model"),
  images: imagesOption
    .optional()
    .describe("images to audit on, their test split (default: those of the run)"),
  limit: z.int().min(1).optional().describe("number of images, the first ones (default: the budget's)"),
  expectClean: expectCleanOption,
  ...weightsOptions,
  ...exportedOptions,
  ...defenseOptions,
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  out: textOption("FOLDER")
    .optional()
    .describe("folder of the report (default: inside the run folder, else inside audits)"),
  force: z
    .boolean()
    .default(false)
    .describe("replace what is in that folder, even the report of another audit"),
  batchSize: z
    .int()
    .min(1)
    .optional()
    .describe("images attacked together (default: 50); results do not depend on it"),
  ...shardOptions,
  threads: runOptions.threads,
  device: deviceOption,
  selfTest: z
    .boolean()
    .default(false)
    .describe("audit models that are known to be broken or robust, in place of yours"),
  selfTested: textOption("FILE")
    .optional()
    .describe("output of 'sqa audit --self-test --json', to be put into the report"),
  tensorboard: z.boolean().default(true).describe("write TensorBoard's event files beside the trials"),
  verbose: z.boolean().default(false).describe("show the evidence of passed checks, and attacks in full"),
  json: z.boolean().default(false).describe("print audit.json in place of the report"),
});

/** Checked options of `sqa audit`. */
export type GivenAudit = z.output<typeof auditOptions>;

import * as z from "zod";
import { attacks } from "../../../attacks/index.js";
import { describeOptions } from "../../../options/index.js";
import { type PresetName, presets, trainConfigSchema } from "../../../training/index.js";
import {
  architectureOption,
  defenseOptions,
  exportedOptions,
  imagesOption,
  listOption,
  trainedModelOption,
  weightsOptions,
} from "../../frame/inputs/input-options.js";
import { deviceOption, precisionOption, runOptions, textOption } from "../../frame/run-options.js";

type Optional<Shape extends z.ZodRawShape> = {
  [Name in keyof Shape]: z.ZodOptional<z.ZodType<z.output<Shape[Name]>>>;
};

/**
 * Options without their defaults, so that a preset can tell what was not given; the help shows them all the
 * same.
 */
function withoutDefaults<Shape extends z.ZodRawShape>(shape: Shape): Optional<Shape> {
  const entries = describeOptions(z.strictObject(shape)).map((row) => {
    const field = shape[row.name];
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    const isSaid = row.default === undefined || row.description.includes("(default");
    const shown = isSaid ? row.description : `${row.description} (default: ${row.default})`;
    return [row.name, (inner as z.ZodType).optional().describe(shown)] as const;
  });
  return Object.fromEntries(entries) as unknown as Optional<Shape>;
}

const {
  model: _model,
  data: _data,
  defenses: _defenses,
  initialWeights,
  validationAttacks: _attacks,
  precision: _precision,
  ...plainOptions
} = trainConfigSchema.shape;

/** Options that are a configuration's, by the same names and with the same values. */
export const configOptions: readonly string[] = [...Object.keys(plainOptions), "initialWeights"];

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

/** Options of `sqa train`. */
export const trainOptions = z.strictObject({
  preset: z
    .enum(presetNames)
    .meta({ placeholder: "PRESET" })
    .optional()
    .describe(`named set of options, which options given here override: ${presetNames.join(", ")}`),
  model: trainedModelOption.optional().describe("model to train"),
  architecture: architectureOption
    .optional()
    .describe("architecture of given weights, or of a run's own model"),
  images: imagesOption.optional().describe("images to train on"),
  ...weightsOptions,
  ...defenseOptions,
  ...exportedOptions,
  ...withoutDefaults(plainOptions),
  validationAttack: listOption(attacks.option())
    .optional()
    .describe(
      "attack on the validation images after each epoch, the first single-step, the last the strongest; " +
        "none for clean accuracy alone (default: FGSM and PGD of 20 steps at the method's epsilon)",
    ),
  precision: precisionOption.default("auto"),
  ...runOptions,
  device: deviceOption,
  checkpointSeconds: z
    .number()
    .min(0)
    .default(30)
    .describe("seconds between two checkpoints within an epoch"),
  out: textOption("FILE")
    .optional()
    .describe("exported model to write at the end: a copy of --model (.pt2) with the trained weights"),
  tensorboard: z
    .boolean()
    .default(true)
    .describe("write TensorBoard's event files into the run folder, in tb"),
  standalone: z
    .boolean()
    .default(false)
    .describe("train in this process alone, even where mpirun, srun or torchrun started others"),
  verbose: z.boolean().default(false).describe("show attacks in full"),
  json: z.boolean().default(false).describe("print events, one JSON object a line"),
  // Of a run's config.json.
  initialWeights: initialWeights.unwrap().optional().meta({ hidden: true }),
  own: z.unknown().optional().meta({ hidden: true }),
});

/** Checked options of `sqa train`. */
export type TrainOptions = z.output<typeof trainOptions>;

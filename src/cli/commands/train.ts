import * as z from "zod";
import { parseAttack } from "../../attacks/index.js";
import { describeOptions } from "../../options/describe.js";
import { readBy } from "../../options/read-by.js";
import {
  type PresetName,
  presets,
  type TrainConfigInput,
  train,
  trainConfig,
  trainConfigSchema,
} from "../../training/index.js";
import { dataOptions } from "../data-options.js";
import { defineCommand } from "../frame/command.js";
import { asUsage, usageUntilBegun } from "../frame/usage-error.js";
import { quantizationOf, sqaOption } from "../network-options.js";
import { deviceOption, precisionOf, precisionOption, runOptions } from "../run-options.js";
import { quoted, shownPath, showTraining } from "../train-output.js";

type Optional<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: z.ZodOptional<z.ZodType<z.output<Shape[Name]>>> };

/** Options without their defaults, so that a preset can tell what was not given; the help shows them all the same. */
function withoutDefaults<Shape extends z.ZodRawShape>(shape: Shape): Optional<Shape> {
  const entries = describeOptions(z.strictObject(shape)).map((row) => {
    const field = shape[row.name];
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    const shown = row.default === "null" ? "none" : row.default;
    return [row.name, (inner as z.ZodType).optional().describe(`${row.description}; default ${shown}`)] as const;
  });
  return Object.fromEntries(entries) as unknown as Optional<Shape>;
}

const { sqa: _sqa, probes: _probes, precision: _precision, ...plainOptions } = trainConfigSchema.shape;

const options = z.strictObject({
  preset: z
    .enum(Object.keys(presets) as [PresetName, ...PresetName[]])
    .optional()
    .describe("a named recipe; options given beside it win"),
  sqa: sqaOption,
  ...withoutDefaults(plainOptions),
  precision: precisionOption.default("auto"),
  probes: z
    .array(readBy("an attack such as pgd(epsilon=0.2), or none", (text) => text === "none" || parseAttack(text)))
    .optional()
    .describe("attacks after each epoch: the first single-step, the last the strongest"),
  ...dataOptions,
  ...runOptions,
  device: deviceOption,
  checkpointSeconds: z.number().min(0).default(30).describe("seconds between two checkpoints within an epoch"),
});

type Options = z.output<typeof options>;

/** The configuration that the options ask for: flags, then the preset, then the defaults. */
function configOf(given: Options) {
  const { preset, sqa, probes, precision, data, checksums, runs, threads, device, checkpointSeconds, ...rest } = given;
  const quantization = quantizationOf(sqa);
  const flags = {
    ...rest,
    ...(quantization === undefined ? {} : { sqa: quantization }),
    ...(probes === undefined ? {} : { probes: probes.filter((probe) => probe !== "none") }),
  };
  const chosen = Object.entries(flags).filter(([, value]) => value !== undefined);
  const config = trainConfig({
    ...(preset === undefined ? {} : presets[preset]),
    ...(Object.fromEntries(chosen) as TrainConfigInput),
  });
  return { ...config, precision: precisionOf(precision, device) };
}

/** The command that goes on with a run, or shows that it is finished. */
function sameCommand(run: string, { runs, data, checksums, threads, device }: Options): string {
  const words = ["npx sqa train --config", quoted(`${shownPath(run)}/config.json`)];
  if (runs !== "runs") words.push("--runs", quoted(runs));
  if (data !== undefined) words.push("--data", quoted(data));
  if (!checksums) words.push("--no-checksums");
  if (threads !== undefined) words.push("--threads", String(threads));
  if (device !== "cpu") words.push("--device", device);
  return words.join(" ");
}

export const trainCommand = defineCommand({
  name: "train",
  summary: "train a network",
  description:
    "Train a network, and show its accuracy under attack after each epoch. The same command goes on with a run that was " +
    "stopped or killed; a finished run is not repeated. Prints the run's folder.",
  options,
  examples: [
    "sqa train --preset short --sqa",
    "sqa train --network large --method 'pgd(epsilon=0.3, steps=7)' --epochs 10 --seed 1",
    "sqa train --sqa 'sqa(range=batch)' --limit 10000 --hold-out 1000 --probes fgsm --probes 'pgd(steps=10)'",
    "sqa train --config runs/NAME/config.json",
  ],
  async run(given, { signal }) {
    const config = asUsage(() => configOf(given));
    const { runs, data, checksums, threads, device, checkpointSeconds } = given;
    const events = train(config, { runs, data, checksums, threads, device, checkpointSeconds, signal });
    await showTraining(usageUntilBegun(events), (run) => sameCommand(run, given));
    return 0;
  },
});

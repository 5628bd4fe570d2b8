import * as z from "zod";
import { autoattack, pgd } from "../../attacks/index.js";
import { ballOf, presets, type TrainConfigInput, trainConfig } from "../../training/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import { architecture, dataset, method, presetNames, sizeOptions } from "../options.js";

const options = z.strictObject({
  ...sizeOptions,
  attackLimit: sizeOptions.attackLimit.describe("those under AutoAttack, at most limit (default: limit)"),
  preset: z.enum(presetNames).default("mnist-fast").describe("recipe of training"),
  model: architecture.optional().describe("model (default: the preset's)"),
  data: dataset.optional().describe("data set (default: the preset's)"),
  method: method.optional().describe("training method (default: the preset's)"),
});
type Options = z.output<typeof options>;

/** Configuration of the table's runs, without a seed. */
function configOf({ preset, precision, ...options }: Options): TrainConfigInput {
  const chosen = Object.entries({
    model: options.model,
    data: options.data,
    method: options.method,
    epochs: options.epochs,
  }).filter(([, value]) => value !== undefined);
  const usual = { model: "small", data: "mnist" } as const;
  return { ...usual, ...presets[preset].config, ...Object.fromEntries(chosen), precision };
}

/** Columns of seconds, and of accuracies at the radius that was trained for. */
function columnsOf(options: Options): Column[] {
  const config = trainConfig(configOf(options));
  const ball = ballOf(config.method);
  if (ball !== undefined && ball.norm !== "linf")
    throw new RangeError(
      `table speed: its attacks are of l-infinity, and ${config.method} trains for ${ball.norm}`,
    );
  const epsilon = ball?.epsilon ?? config.data.epsilon;
  if (epsilon === undefined)
    throw new RangeError(`table speed: neither ${config.method} nor ${config.data} has a radius`);
  // The field's steps: 0.01 on MNIST at 0.3, 2/255 on CIFAR-10 at 8/255.
  const stepSize = Math.min(epsilon / 4, 0.01);
  return [
    // The first epoch's seconds hold those of what is made ready in it.
    { key: "epochSeconds", title: "s an epoch", of: ({ last }) => last.seconds },
    { key: "seconds", title: "s of training", of: ({ seconds }) => seconds },
    clean,
    { key: "pgd", title: "PGD-50, 10 restarts", attack: pgd({ epsilon, stepSize, steps: 50, restarts: 10 }) },
    { key: "autoattack", title: "AutoAttack", attack: autoattack({ epsilon }), strong: true },
  ];
}

/** Seconds of training to a robust network: recipes of training, timed, and then attacked. */
export const speed = defineAccuracyTable("speed", {
  summary: "seconds of training by a preset, and accuracy under PGD and AutoAttack",
  title: ({ preset }) => `Seconds of training to a robust network: preset ${preset}`,
  options,
  timed: true,
  columns: columnsOf,
  limits: ({ limit, attackLimit }) => ({ limit: limit ?? null, attackLimit: attackLimit ?? limit ?? null }),
  rows(options) {
    const train = configOf(options);
    const title = `${train.model} on ${train.data}`;
    return [{ key: String(train.model), title, train, seeds: options.seeds }];
  },
  notes: () => ["Seconds of training, without validation between epochs; an epoch's are those of the last."],
});

import * as z from "zod";
import { parseCall } from "../../options/index.js";
import { lineChart, SERIES_COLORS } from "../../report/index.js";
import { type EpochEvent, RunFolder } from "../../training/index.js";
import { measuredRowSchema, measuredRows } from "../accuracy/data.js";
import { planOf } from "../accuracy/row.js";
import { countText, spreadOf } from "../accuracy/spread.js";
import { paperName } from "../expected.js";
import { mnistModel, mnistOptions } from "../options.js";
import { type FgsmOptions, fgsmRows } from "../recipe.js";
import { attackInFull } from "../spelled-out.js";
import { defineTable } from "../table.js";

const { limit: _, attackLimit: __, ...sizes } = mnistOptions;

/** Accuracies of validation images after an epoch, shares. */
const epochSchema = z.object({
  epoch: z.int(),
  clean: z.number(),
  validation: z.array(z.object({ attack: z.string(), accuracy: z.number() })).min(1),
});

/** Row with the validation after each epoch, by seed. */
const networkSchema = measuredRowSchema.extend({ runs: z.array(z.array(epochSchema).min(1)).min(1) });

const data = z.object({ networks: z.array(networkSchema).min(1) });
type Network = z.output<typeof networkSchema>;
type Epoch = z.output<typeof epochSchema>;

/** The figure's runs; nothing is asked of their models but what validation asks. */
const planFor = (options: FgsmOptions) => planOf(fgsmRows(options), [], { limit: null, attackLimit: null });

function epochsOf(run: string): Epoch[] {
  const events = RunFolder.open(run).events();
  const epochs = events.filter((event): event is EpochEvent => event.type === "epoch");
  return epochs.map(({ epoch, clean, validation }) => ({ epoch, clean, validation }));
}

/**
 * Mean over seeds of an accuracy after each epoch, with the lowest and the highest seed as a band around it.
 */
function line(runs: readonly (readonly Epoch[])[], value: (epoch: Epoch) => number) {
  return runs[0]!.map(({ epoch }, i) => {
    const values = runs.map((epochs) => value(epochs[i]!));
    return { x: epoch, y: spreadOf(values).mean, low: Math.min(...values), high: Math.max(...values) };
  });
}

/** First and last validation attack. */
function attacksOf(runs: Network["runs"]): [string, string] {
  const { validation } = runs[0]![0]!;
  return [validation[0]!.attack, validation.at(-1)!.attack];
}

/** Lines of a row: under the first validation attack, dashed, and under the last. */
function linesOf({ title, runs }: Network, color: string) {
  const [first, last] = attacksOf(runs).map((text) => parseCall(text).name.toUpperCase());
  return [
    {
      name: `${title}, ${first}`,
      color,
      dashed: true,
      points: line(runs, ({ validation }) => validation[0]!.accuracy),
    },
    { name: `${title}, ${last}`, color, points: line(runs, ({ validation }) => validation.at(-1)!.accuracy) },
  ];
}

function settingText(networks: readonly Network[]): string {
  const { model, data: dataset, validationImages, heldOut } = networks[0]!.config;
  const counts = networks.map(({ seeds }) => seeds.length);
  const seeds = new Set(counts).size === 1 ? countText(counts[0]!, "seed") : `${counts.join(" and ")} seeds`;
  const images = `${validationImages} ${Number(heldOut) > 0 ? "held-out " : ""}training images`;
  const under = attacksOf(networks[0]!.runs).map(attackInFull).join(" and ");
  const setting = `${paperName(model)} on ${paperName(dataset)}`;
  return `${setting}; mean, lowest and highest of ${seeds} on ${images} under ${under}`;
}

/** The paper's case as a figure: catastrophic overfitting is where the two lines of a network part. */
export const overfitting = defineTable("overfitting", {
  summary:
    "accuracy under FGSM and PGD after each epoch of training on FGSM images, full precision beside SQA",
  title: "Training on FGSM images: accuracy under FGSM and under PGD",
  options: z.strictObject({ ...sizes, model: mnistModel }),
  data,
  cells: (options) => planFor(options).cells,
  gather(options, found) {
    const { rows } = planFor(options);
    const measured = measuredRows(rows, [], found);
    const networks = measured.map((row, index) => ({
      ...row,
      runs: rows[index]!.cells.map((cell) => epochsOf(found.outcomes.get(cell)!.run)),
    }));
    return { networks };
  },
  show({ networks }) {
    const { length } = networks[0]!.runs[0]!;
    const values = Array.from({ length }, (_, i) => i + 1);
    const setting = settingText(networks);
    const chart = lineChart({
      title: "Training on FGSM images: accuracy under FGSM and under PGD",
      subtitle: setting,
      x: { label: "epoch", ...(length <= 20 ? { values } : {}) },
      y: { label: "accuracy", percent: true },
      series: networks.flatMap((network, i) => linesOf(network, SERIES_COLORS[networks.length - 1 - i]!)),
    });
    return { chart, notes: [`${setting}.`] };
  },
});

import * as z from "zod";
import { countText } from "../../base/index.js";
import { parseCall } from "../../options/index.js";
import { type ChartSeries, linePanels, SERIES_COLORS } from "../../report/index.js";
import { type EpochEvent, RunFolder } from "../../training/index.js";
import { paperName } from "../expected.js";
import { attackInFull, withoutStatistics } from "../spelled-out.js";
import type { Found } from "../table.js";
import type { Column } from "./column.js";
import { chartNames, measuredRowSchema, measuredRows } from "./data.js";
import type { PlannedRow } from "./row.js";

/** Accuracies of validation images after an epoch, shares. */
const epochSchema = z.object({
  epoch: z.int(),
  clean: z.number(),
  validation: z.array(z.object({ attack: z.string(), accuracy: z.number() })).min(1),
});

/** Form of a measured row with the validation after each epoch, by seed. */
export const epochsRowSchema = measuredRowSchema.extend({
  runs: z.array(z.array(epochSchema).min(1)).min(1),
});

/** Measured row with the validation after each epoch, by seed. */
type EpochsRow = z.output<typeof epochsRowSchema>;
type Epoch = z.output<typeof epochSchema>;

function epochsOf(run: string): Epoch[] {
  const events = RunFolder.open(run).events();
  const epochs = events.filter((event): event is EpochEvent => event.type === "epoch");
  return epochs.map(({ epoch, clean, validation }) => ({ epoch, clean, validation }));
}

/** Rows all of whose cells are finished, with the validation after each epoch. */
export function epochsRows(
  rows: readonly PlannedRow[],
  columns: readonly Column[],
  found: Found,
): EpochsRow[] {
  return rows.flatMap((planned) => {
    const runsOf = () => planned.cells.map((cell) => epochsOf(found.outcomes.get(cell)!.run));
    return measuredRows([planned], columns, found).map((row) => ({ ...row, runs: runsOf() }));
  });
}

/** First and last validation attack. */
function attacksOf(runs: EpochsRow["runs"]): [string, string] {
  const { validation } = runs[0]![0]!;
  return [validation[0]!.attack, validation.at(-1)!.attack];
}

/** Lines of a row, in a color for each seed: under the first validation attack, dashed, and the last. */
function seriesOf({ runs, seeds }: EpochsRow): ChartSeries[] {
  const [first, last] = attacksOf(runs).map((text) => parseCall(text).name.toUpperCase());
  const lines = (attack: string, value: (epoch: Epoch) => number) =>
    runs.map((epochs, i) => ({
      name: `under ${attack}, seed ${seeds[i]}`,
      color: SERIES_COLORS[i % SERIES_COLORS.length]!,
      drawn: "line" as const,
      points: epochs.map((epoch) => ({ x: epoch.epoch, y: value(epoch) })),
    }));
  const weak = lines(first!, ({ validation }) => validation[0]!.accuracy);
  const strong = lines(last!, ({ validation }) => validation.at(-1)!.accuracy);
  return [...weak.map((line) => ({ ...line, dashed: true })), ...strong];
}

/** The setting of rows in words: model, data, seeds, images and attacks. */
export function epochsSetting(rows: readonly EpochsRow[]): string {
  const { model, data, validationImages, heldOut } = rows[0]!.config;
  const most = Math.max(...rows.map(({ seeds }) => seeds.length));
  const lines = most === 1 ? "one seed" : "a color for each seed";
  const images = countText(
    Number(validationImages),
    `${Number(heldOut) > 0 ? "held-out " : ""}training image`,
  );
  const under = attacksOf(rows[0]!.runs).map(attackInFull).join(" and ");
  return `${paperName(withoutStatistics(model))} on ${paperName(data)}; ${lines} on ${images} under ${under}`;
}

/** Charts of accuracy under the first and the last validation attack after each epoch, one for each row. */
export function epochsChart(title: string, rows: readonly EpochsRow[]) {
  const { length } = rows[0]!.runs[0]!;
  const step = length <= 8 ? 1 : 2;
  const values = Array.from({ length: Math.ceil(length / step) }, (_, i) => step * i + 1);
  const names = chartNames(rows);
  return linePanels({
    title,
    subtitle: epochsSetting(rows),
    x: { label: "epoch", ...(length <= 20 ? { values } : {}) },
    y: { label: "accuracy", percent: true, values: [0, 0.2, 0.4, 0.6, 0.8, 1] },
    panels: rows.map((row, i) => ({ name: names[i]!, series: seriesOf(row) })),
  });
}

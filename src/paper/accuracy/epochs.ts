import * as z from "zod";
import { countText } from "../../base/index.js";
import { parseCall } from "../../options/index.js";
import { type ChartSeries, lineChart, SERIES_COLORS } from "../../report/index.js";
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

/** A seed's points, as shares. */
function pointsOf(runs: EpochsRow["runs"], value: (epoch: Epoch) => number): ChartSeries["points"] {
  return runs.flatMap((epochs, line) => epochs.map((epoch) => ({ x: epoch.epoch, y: value(epoch), line })));
}

/** Lines of a row: under the first validation attack, dashed, and under the last; one for each seed. */
function seriesOf({ runs }: EpochsRow, title: string, color: string): ChartSeries[] {
  const [first, last] = attacksOf(runs).map((text) => parseCall(text).name.toUpperCase());
  const weak = pointsOf(runs, ({ validation }) => validation[0]!.accuracy);
  const strong = pointsOf(runs, ({ validation }) => validation.at(-1)!.accuracy);
  return [
    { name: `${title}, ${first}`, color, dashed: true, points: weak },
    { name: `${title}, ${last}`, color, points: strong },
  ];
}

/** The setting of rows in words: model, data, seeds, images and attacks. */
export function epochsSetting(rows: readonly EpochsRow[]): string {
  const { model, data, validationImages, heldOut } = rows[0]!.config;
  const counts = rows.map(({ seeds }) => seeds.length);
  const differing = counts.join(", ").replace(/, (\d+)$/, " and $1");
  const seeds = new Set(counts).size === 1 ? countText(counts[0]!, "seed") : `${differing} seeds`;
  const lines = seeds === "1 seed" ? "one seed" : `a line for each of ${seeds}`;
  const images = countText(
    Number(validationImages),
    `${Number(heldOut) > 0 ? "held-out " : ""}training image`,
  );
  const under = attacksOf(rows[0]!.runs).map(attackInFull).join(" and ");
  return `${paperName(withoutStatistics(model))} on ${paperName(data)}; ${lines} on ${images} under ${under}`;
}

/** Chart of accuracy under the first and the last validation attack after each epoch. */
export function epochsChart(title: string, rows: readonly EpochsRow[]) {
  const { length } = rows[0]!.runs[0]!;
  const values = Array.from({ length }, (_, i) => i + 1);
  const names = chartNames(rows);
  return lineChart({
    title,
    subtitle: epochsSetting(rows),
    x: { label: "epoch", ...(length <= 20 ? { values } : {}) },
    y: { label: "accuracy", percent: true },
    series: rows.flatMap((row, i) =>
      seriesOf(row, names[i]!, SERIES_COLORS[(rows.length - 1 - i) % SERIES_COLORS.length]!),
    ),
  });
}

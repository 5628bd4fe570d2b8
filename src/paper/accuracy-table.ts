import type { Precision } from "../nn/index.js";
import { renderTable } from "../report/table.js";
import type { CellOutcome } from "./experiment.js";
import { type Spread, seedsText, spreadOf, spreadText } from "./statistics.js";

/** A column: an attack's accuracies, or the clean ones. */
export interface AccuracyColumn {
  readonly key: string;
  readonly title: string;
}

/** A network's accuracies in percent: measured over seeds, and the paper's where they are known. */
export interface AccuracyRow {
  readonly name: string;
  readonly seeds: readonly number[];
  readonly precision: Precision;
  readonly paper?: Readonly<Record<string, number>> | undefined;
  readonly measured: Readonly<Record<string, Spread>>;
  /** Kinds of alarms that training raised. */
  readonly alarms: readonly string[];
}

/** Where a column's share is in a seed's outcome; undefined where it was not measured. */
export type ShareOf = (outcome: CellOutcome, key: string) => number | undefined;

/** A row of the outcomes of one network's seeds. */
export function accuracyRow(
  name: string,
  outcomes: readonly CellOutcome[],
  columns: readonly AccuracyColumn[],
  shareOf: ShareOf,
  paper?: Readonly<Record<string, number>>,
): AccuracyRow {
  const measured = columns.flatMap(({ key }) => {
    const shares = outcomes.flatMap((outcome) => shareOf(outcome, key) ?? []);
    return shares.length === 0 ? [] : [[key, spreadOf(shares.map((share) => 100 * share))] as const];
  });
  return {
    name,
    seeds: outcomes.map(({ cell }) => cell.config.seed),
    precision: outcomes[0]!.cell.config.precision,
    ...(paper === undefined ? {} : { paper }),
    measured: Object.fromEntries(measured),
    alarms: [...new Set(outcomes.flatMap(({ training }) => training.alarms.map(({ kind }) => kind)))],
  };
}

/** The table as text: a line for what was measured, after one for the paper's numbers where there are any. */
export function renderAccuracies(
  columns: readonly AccuracyColumn[],
  rows: readonly AccuracyRow[],
  format: "markdown" | "terminal",
): string {
  const lines = rows.flatMap(({ name, seeds, paper, measured }) => {
    const own = [`measured, ${seedsText(seeds.length)}`, ...columns.map(({ key }) => spreadText(measured[key]))];
    if (paper === undefined) return [[name, ...own]];
    return [
      [name, "paper", ...columns.map(({ key }) => paper[key]?.toFixed(2) ?? "–")],
      ["", ...own],
    ];
  });
  return renderTable({ columns: ["network", "", ...columns.map(({ title }) => title)], rows: lines }, format);
}

/** What the networks of rows were trained in. */
export function precisionNote(rows: readonly Pick<AccuracyRow, "precision">[]): string {
  const precisions = [...new Set(rows.map(({ precision }) => precision))];
  return `Trained in ${precisions.join(" and ")}; accuracies are measured in float32.`;
}

/** Alarms in words, where there were any. */
export function alarmNotes(rows: readonly AccuracyRow[]): string[] {
  return rows
    .filter(({ alarms }) => alarms.length > 0)
    .map(({ name, alarms }) => `${name}: alarms ${alarms.join(", ")}.`);
}

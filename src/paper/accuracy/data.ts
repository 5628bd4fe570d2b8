import * as z from "zod";
import { verdictNames } from "../../evaluation/index.js";
import { precisions } from "../../nn/index.js";
import type { TrainConfig } from "../../training/index.js";
import type { CellOutcome } from "../runner/cell.js";
import { joinedMachine, type Machine, machineSchema } from "../runner/share-machine.js";
import type { Found } from "../table.js";
import { type AccuracyColumn, type Column, isAccuracy } from "./column.js";
import { askedOf, isRandomized, type Limits, type PlannedRow, questionKey } from "./row.js";
import { spreadOf, spreadSchema } from "./spread.js";

/** Training configuration in JSON, of which the seed is left out. */
const configSchema = z.looseObject({
  model: z.string(),
  data: z.string(),
  defenses: z.array(z.string()),
  method: z.string(),
  epochs: z.int(),
  batchSize: z.int(),
  limit: z.int().nullable(),
  augmentation: z.string(),
  cleanWeight: z.number(),
  precision: z.enum(precisions),
  optimizer: z.string().default("sgd"),
  schedule: z.string(),
  labelSmoothing: z.number(),
  averaging: z.number(),
  selection: z.string(),
});

/** Values of a column, over seeds: accuracies in percent, or what training tells. */
const measurementSchema = spreadSchema.extend({
  /** Test images of an accuracy. */
  images: z.int().optional(),
  /** Verdicts of audits, by seed. */
  verdicts: z.array(z.enum(verdictNames)).optional(),
  /** 95 % interval over images, of an accuracy of one seed. */
  interval: z.tuple([z.number(), z.number()]).optional(),
});

/** Form of a measured row in JSON. */
export const measuredRowSchema = z.object({
  key: z.string(),
  title: z.string(),
  config: configSchema,
  /** Present where models were asked without the noise of their defenses. */
  noiseFree: z.literal(true).optional(),
  /** Present where answers differ from draw to draw. */
  randomized: z.literal(true).optional(),
  seeds: z.array(z.int()),
  /** The paper's numbers, by column. */
  paper: z.record(z.string(), z.union([z.number(), z.tuple([z.number(), z.number()]).readonly()])).optional(),
  /** By column. */
  measured: z.record(z.string(), measurementSchema),
  /** Kinds of alarms that training raised, in any seed. */
  alarms: z.array(z.string()),
  secondsPerStep: z.number().optional(),
  /** Present where every step was replayed as a graph of the device. */
  replayed: z.literal(true).optional(),
  measuredOn: machineSchema,
});

/** Form of a table of accuracies in JSON. */
export const accuracySchema = z.object({ rows: z.array(measuredRowSchema).min(1) });

/** Data of a table of accuracies. */
export type AccuracyData = z.output<typeof accuracySchema>;

/** Measured row. */
export type MeasuredRow = z.output<typeof measuredRowSchema>;

/** Measurement of a column in a row. */
export type Measurement = z.output<typeof measurementSchema>;

/** Rows all of whose cells are finished. */
export function measuredRows(
  rows: readonly PlannedRow[],
  columns: readonly Column[],
  { outcomes, machine, machines }: Pick<Found, "outcomes" | "machine" | "machines">,
): MeasuredRow[] {
  const machineOf = (cell: string) => machines?.get(cell) ?? machine;
  return rows.flatMap((planned) => {
    const found = planned.cells.map((cell) => outcomes.get(cell));
    const whole = found.filter((outcome) => outcome !== undefined);
    return whole.length < found.length ? [] : [measuredRow(planned, whole, columns, machineOf)];
  });
}

function measuredRow(
  { row, config }: PlannedRow,
  outcomes: readonly CellOutcome[],
  columns: readonly Column[],
  machineOf: (cell: string) => Machine,
): MeasuredRow {
  // A row of the same runs may be asked for more.
  const asked = askedOf(row, config, columns);
  const measured = columns.flatMap((column) => {
    if (!isAccuracy(column)) return [[column.key, figureOf(column, outcomes)] as const];
    const found = asked.includes(column) ? accuracyOf(row, column, outcomes) : undefined;
    return found === undefined ? [] : [[column.key, found] as const];
  });
  const trainings = outcomes.map(({ training }) => training);
  return {
    key: rowKey(row.key, config),
    title: row.title,
    config: storedConfig(config),
    ...(row.noiseFree === true ? { noiseFree: true as const } : {}),
    ...(isRandomized(row, config) ? { randomized: true as const } : {}),
    seeds: outcomes.map((_, seed) => seed),
    ...(row.paper === undefined ? {} : { paper: row.paper }),
    measured: Object.fromEntries(measured),
    alarms: [...new Set(trainings.flatMap(({ alarms }) => alarms.map(({ kind }) => kind)))],
    secondsPerStep: spreadOf(trainings.map(({ seconds, steps }) => seconds / steps)).mean,
    ...(trainings.every(({ replayed }) => replayed === true) ? { replayed: true as const } : {}),
    measuredOn: joinedMachine(
      outcomes.flatMap((outcome) => {
        const machines = asked.map((column) => outcome.answers[questionKey(row, column)]?.machine);
        return answeredBy(machines, machineOf(outcome.cell));
      }),
    ),
  };
}

/** Machines that gave a cell's answers, which may have been kept; `usual` where one is not known. */
function answeredBy(machines: readonly (Machine | undefined)[], usual: Machine): Machine[] {
  return machines.length === 0 ? [usual] : machines.map((machine) => machine ?? usual);
}

/** Key of a measured row: rows of another precision stand beside those in float32. */
function rowKey(key: string, { precision }: TrainConfig): string {
  return precision === "float32" ? key : `${key}-${precision}`;
}

function storedConfig(config: TrainConfig): MeasuredRow["config"] {
  const { seed: _, ...texts } = JSON.parse(JSON.stringify(config)) as MeasuredRow["config"] & {
    seed: number;
  };
  return texts;
}

function accuracyOf(
  row: PlannedRow["row"],
  column: AccuracyColumn,
  outcomes: readonly CellOutcome[],
): Measurement | undefined {
  const answers = outcomes.flatMap((outcome) => outcome.answers[questionKey(row, column)] ?? []);
  if (answers.length < outcomes.length) return undefined;
  const [first] = answers;
  const spread = spreadOf(answers.map(({ accuracy }) => 100 * accuracy));
  const interval: [number, number] = [100 * first!.low, 100 * first!.high];
  const verdicts = answers.flatMap(({ verdict }) => verdict ?? []);
  return {
    ...spread,
    images: first!.images,
    ...(verdicts.length > 0 ? { verdicts } : {}),
    ...(answers.length === 1 ? { interval } : {}),
  };
}

function figureOf(column: Exclude<Column, AccuracyColumn>, outcomes: readonly CellOutcome[]): Measurement {
  return spreadOf(outcomes.map(({ training }) => column.of(training)));
}

/**
 * Names of rows in a chart: their titles, with the precision of training where another row of the same data
 * has the same title.
 */
export function chartNames(rows: readonly Pick<MeasuredRow, "title" | "config">[]): string[] {
  const texts = rows.map(({ title, config }) => `${config.data} ${title}`);
  return rows.map(({ title, config }, i) =>
    texts.indexOf(texts[i]!) === texts.lastIndexOf(texts[i]!) ? title : `${title}, ${config.precision}`,
  );
}

/** Data with the rows of an earlier table that were not measured again, in the order of that. */
export function joinedRows<Row extends { readonly key: string }>(
  data: { readonly rows: readonly Row[] },
  earlier: { readonly rows: readonly Row[] },
): { rows: Row[] } {
  const now = new Map(data.rows.map((row) => [row.key, row]));
  const kept = earlier.rows.map((row) => now.get(row.key) ?? row);
  const known = new Set(earlier.rows.map(({ key }) => key));
  return { rows: [...kept, ...data.rows.filter(({ key }) => !known.has(key))] };
}

/** Test images under strong attacks where nothing else is asked for. */
const usualAttackLimit = 1000;

/** Options on the number of test images, which every table of accuracies takes. */
export interface LimitOptions {
  readonly limit?: number | undefined;
  readonly attackLimit?: number | undefined;
}

/** Numbers of test images that options ask for. */
export function limitsOf({ limit, attackLimit }: LimitOptions): Limits {
  const usual = Math.min(usualAttackLimit, limit ?? usualAttackLimit);
  return { limit: limit ?? null, attackLimit: attackLimit ?? usual };
}

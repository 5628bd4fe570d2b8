import type { Attack } from "../../attacks/index.js";
import { checkNumber } from "../../base/index.js";
import { runName, type TrainConfig, type TrainConfigInput, trainConfig } from "../../training/index.js";
import type { Published } from "../expected.js";
import type { Cell, Question } from "../runner/cell.js";
import { type AccuracyColumn, type Column, isAccuracy } from "./column.js";

/** Row of a table: what is trained, and how it is asked. */
export interface Row {
  /** Identity in results, without the seed: `small-sqa`. */
  readonly key: string;
  readonly title: string;
  /** Configuration without the seed. */
  readonly train: TrainConfigInput;
  /** Number of seeds, from 0. */
  readonly seeds: number;
  /** Asks the models without the noise of their defenses; false where left out. */
  readonly noiseFree?: boolean;
  /** Keys of columns that the row is not asked for; none where left out. */
  readonly skips?: readonly string[];
  /** Attacks of the row's own in place of those of columns, by column. */
  readonly attacks?: Readonly<Record<string, Attack>>;
  /** The paper's numbers, by column. */
  readonly paper?: Readonly<Record<string, Published>> | undefined;
}

/** Numbers of test images, the first ones; null for all. */
export interface Limits {
  readonly limit: number | null;
  /** Those under strong attacks. */
  readonly attackLimit: number | null;
}

/** Row with its runs. */
export interface PlannedRow {
  readonly row: Row;
  /** Configuration of the first seed. */
  readonly config: TrainConfig;
  /** Names of its cells, in the order of the seeds. */
  readonly cells: readonly string[];
}

/** Runs of rows, and what their models are asked. */
export interface Plan {
  readonly rows: readonly PlannedRow[];
  readonly cells: readonly Cell[];
}

/**
 * Key of a row's question for a column. Rows of the same runs differ in whether they are free of noise, and
 * in attacks of their own.
 */
export function questionKey(
  { noiseFree, attacks }: Pick<Row, "noiseFree" | "attacks">,
  { key }: AccuracyColumn,
): string {
  const own = attacks?.[key];
  const asked = own === undefined ? key : `${key} by ${own}`;
  return noiseFree === true ? `noise-free ${asked}` : asked;
}

/** Tells whether a row's models answer with noise. */
export function isRandomized({ noiseFree }: Row, { defenses }: Pick<TrainConfig, "defenses">): boolean {
  return noiseFree !== true && defenses.some(({ randomized }) => randomized);
}

/** Columns of accuracies that a row is asked for. */
export function askedOf(
  row: Row,
  config: Pick<TrainConfig, "defenses">,
  columns: readonly Column[],
): AccuracyColumn[] {
  const randomized = isRandomized(row, config);
  return columns
    .filter(isAccuracy)
    .filter(({ key }) => row.skips?.includes(key) !== true)
    .filter(({ randomizedOnly = false }) => randomized || !randomizedOnly);
}

function questionOf(row: Row, column: AccuracyColumn, { limit, attackLimit }: Limits): Question {
  const { strong = false, surrogate } = column;
  return {
    key: questionKey(row, column),
    attack: row.attacks?.[column.key] ?? column.attack,
    limit: strong ? attackLimit : limit,
    audit: column.audit,
    noiseFree: row.noiseFree ?? false,
    surrogate,
  };
}

/**
 * Throws a RangeError for a key that two rows or columns have, for a row without a run, and for an audit that
 * has no attack to judge.
 */
function checkRows(rows: readonly Row[], columns: readonly Column[]): void {
  for (const [what, keyed] of [["rows", rows] as const, ["columns", columns] as const]) {
    const keys = keyed.map(({ key }) => key);
    const twice = keys.find((key, i) => keys.indexOf(key) !== i);
    if (twice !== undefined) throw new RangeError(`two ${what} have the key "${twice}"; give each its own`);
  }
  for (const { key, audit, attack, surrogate } of columns.filter(isAccuracy)) {
    if (audit === undefined || (attack !== undefined && surrogate === undefined)) continue;
    const problem = attack === undefined ? "needs an attack that is claimed" : "finds surrogates by itself";
    throw new RangeError(`column ${key}: an audit ${problem}`);
  }
  for (const { key, seeds } of rows) {
    checkNumber(`seeds of row ${key}`, seeds, "a whole number >= 1", Number.isInteger(seeds) && seeds >= 1);
  }
}

/** Refuses more images under strong attacks than under the others, whoever chose their numbers. */
function checkLimits({ limit, attackLimit }: Limits): void {
  if (limit === null || (attackLimit !== null && attackLimit <= limit)) return;
  const given = attackLimit ?? "all";
  throw new RangeError(`attackLimit must be at most limit, ${limit}, not ${given}: give a limit as well`);
}

/** Plan of rows: a run for each seed, and one run where rows share their configuration. */
export function planOf(rows: readonly Row[], columns: readonly Column[], limits: Limits): Plan {
  checkRows(rows, columns);
  checkLimits(limits);
  const cells = new Map<string, Cell>();
  const planned = rows.map((row) => {
    const configs = Array.from({ length: row.seeds }, (_, seed) => trainConfig({ ...row.train, seed }));
    const names = configs.map((config, seed) => {
      const asked = askedOf(row, config, columns).map((column) => questionOf(row, column, limits));
      const run = runName(config);
      const before = cells.get(run);
      const name = before?.name ?? `${row.key}-seed${seed}`;
      cells.set(run, { name, config, questions: [...(before?.questions ?? []), ...asked] });
      return name;
    });
    return { row, config: configs[0]!, cells: names };
  });
  return { rows: planned, cells: [...cells.values()] };
}

import { countText } from "../../base/index.js";
import type { Published } from "../expected.js";
import type { Shown } from "../table.js";
import { type Column, isAccuracy } from "./column.js";
import type { MeasuredRow } from "./data.js";
import { spreadText } from "./spread.js";

type Row = MeasuredRow;
type Line = readonly string[];

/** Seconds to three digits, as far as they are fractions. */
const seconds = (value: number) => (value < 100 ? value.toPrecision(3) : value.toFixed(0));

function measurementText({ measured }: Row, column: Column): string {
  const found = measured[column.key];
  const text = spreadText(found, isAccuracy(column) ? undefined : seconds);
  return [text, ...new Set(found?.verdicts)].join(", ");
}

function publishedText(value: Published | undefined): string {
  if (value === undefined) return "–";
  const [mean, deviation] = typeof value === "number" ? [value] : value;
  return spreadText(deviation === undefined ? { mean } : { mean, deviation });
}

/** Mean of a number of the paper; undefined where it gives none. */
export function publishedMean(value: Published | undefined): number | undefined {
  return typeof value === "object" ? value[0] : value;
}

function differenceText({ paper, measured }: Row, { key }: Column): string {
  const [published, mean] = [publishedMean(paper?.[key]), measured[key]?.mean];
  if (published === undefined || mean === undefined) return "–";
  const difference = mean - published;
  const size = Math.abs(difference).toFixed(2);
  return `${difference >= 0 || Number(size) === 0 ? "+" : "−"}${size}`;
}

/**
 * Lines of a row: the measured ones, and where the paper has numbers these before and the difference after.
 */
function linesOf(row: Row, columns: readonly Column[]): Line[] {
  const { title, config, seeds, paper } = row;
  const precision = config.precision === "float32" ? [] : [config.precision];
  const manner = [
    "measured",
    countText(config.epochs, "epoch"),
    countText(seeds.length, "seed"),
    ...precision,
  ];
  const measured = [manner.join(", "), ...columns.map((column) => measurementText(row, column))];
  if (paper === undefined) return [[title, ...measured]];
  return [
    [title, "paper", ...columns.map(({ key }) => publishedText(paper[key]))],
    ["", ...measured],
    ["", "difference", ...columns.map((column) => differenceText(row, column))],
  ];
}

/** Columns in which a row has a number, measured here or the paper's. */
export function filledColumns(rows: readonly Row[], columns: readonly Column[]): Column[] {
  return columns.filter(({ key }) =>
    rows.some(({ measured, paper }) => measured[key] !== undefined || paper?.[key] !== undefined),
  );
}

/** Table of measured rows. */
export function accuracyTable(rows: readonly Row[], columns: readonly Column[]): NonNullable<Shown["table"]> {
  return {
    lead: 2,
    columns: ["model", "", ...columns.map(({ title }) => title)],
    rows: rows.flatMap((row) => linesOf(row, columns)),
  };
}

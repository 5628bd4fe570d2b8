import { trainConfig } from "../training/index.js";
import { type AccuracyRow, accuracyRow, alarmNotes, precisionNote, renderAccuracies } from "./accuracy-table.js";
import type { Cell, CellOutcome, EvaluationPlan } from "./experiment.js";
import { type RecipeName, recipeOver } from "./recipe.js";

/** Options of the table. */
export interface TwinOptions {
  readonly network: "small" | "large";
  readonly preset: RecipeName;
  readonly epochs: number;
  /** Seeds in full precision and with SQA. */
  readonly seeds: { readonly full: number; readonly sqa: number };
  /** Test images under the cheap attacks, and under the strong ones; null for all. */
  readonly limit: number | null;
  readonly strongLimit: number | null;
}

const columns = [
  { key: "clean", title: "clean", attack: undefined, strong: false },
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: "fgsm(epsilon=0.3)", strong: false },
  { key: "pgd-0.2", title: "PGD 0.2", attack: "pgd(epsilon=0.2, stepSize=0.01, steps=40)", strong: false },
  {
    key: "pgd-0.3-restarts",
    title: "PGD 0.3, 10 restarts",
    attack: "pgd(epsilon=0.3, stepSize=0.01, steps=40, restarts=10)",
    strong: true,
  },
  { key: "apgd-t-0.3", title: "APGD-T 0.3", attack: "apgd-t(epsilon=0.3)", strong: true },
  // Without gradients: a network whose gradients mislead falls here and not before.
  { key: "square-0.3", title: "Square 0.3", attack: "square(epsilon=0.3, queries=1000)", strong: true },
] as const;

/** The table's columns. */
export const twinColumns: readonly { key: string; title: string }[] = columns;

function plans(options: TwinOptions, twin: boolean): EvaluationPlan[] {
  return [false, true].map((strong) => ({
    attacks: columns.flatMap((column) =>
      column.attack !== undefined && column.strong === strong ? [column.attack] : [],
    ),
    limit: strong ? options.strongLimit : options.limit,
    draws: 10,
    seed: 0,
    transferFromTwin: false,
    ...(twin ? { twin } : {}),
  }));
}

/**
 * SQA in training only: networks trained on FGSM images without a random start, in full precision and with SQA; that with SQA is
 * evaluated twice, as it is and with its quantizers off.
 */
export function twinCells(options: TwinOptions): Cell[] {
  const { network, preset, epochs } = options;
  const recipe = { ...recipeOver(epochs, preset), network, method: "fgsm(epsilon=0.3)" };
  return (["full", "sqa"] as const).flatMap((kind) =>
    Array.from({ length: options.seeds[kind] }, (_, seed) => ({
      name: `${network}-${kind}-seed${seed}`,
      config: trainConfig({ ...recipe, sqa: kind === "sqa" ? {} : null, seed }),
      evaluations: kind === "sqa" ? [...plans(options, false), ...plans(options, true)] : plans(options, false),
    })),
  );
}

/** A share out of the two evaluations that begin at `first`. */
function shareAt(first: number) {
  return ({ evaluations }: CellOutcome, key: string): number | undefined => {
    const column = columns.find((one) => one.key === key)!;
    const evaluation = evaluations[first + (column.strong ? 1 : 0)];
    if (column.attack === undefined) return evaluation?.clean.accuracy;
    const index = columns
      .filter(({ attack, strong }) => attack !== undefined && strong === column.strong)
      .indexOf(column);
    return evaluation?.attacks[index]?.robustAccuracy;
  };
}

/** The table's rows: full precision, SQA, and the SQA network with its quantizers off. */
export function twinRows(outcomes: readonly CellOutcome[]): AccuracyRow[] {
  const full = outcomes.filter(({ cell }) => cell.config.sqa === null);
  const sqa = outcomes.filter(({ cell }) => cell.config.sqa !== null);
  return [
    ...(full.length > 0 ? [accuracyRow("full precision", full, columns, shareAt(0))] : []),
    ...(sqa.length > 0
      ? [
          accuracyRow("SQA, on", sqa, columns, shareAt(0)),
          accuracyRow("SQA in training only (off)", sqa, columns, shareAt(2)),
        ]
      : []),
  ];
}

export function renderTwin(rows: readonly AccuracyRow[], format: "markdown" | "terminal"): string {
  return renderAccuracies(columns, rows, format);
}

/** What a reader must know beside the table. */
export function twinNotes(rows: readonly AccuracyRow[], options: TwinOptions): string[] {
  const { network, preset, epochs, limit, strongLimit } = options;
  const images = (count: number | null) => (count === null ? "all test images" : `the first ${count} test images`);
  return [
    `${network.toUpperCase()} on MNIST, FGSM images (epsilon 0.3, no random start), recipe ${preset}, ${epochs} epochs; ± is the standard deviation over seeds.`,
    "Percent of images classified correctly. SQA on answers in fresh draws that no attack saw (mean of 10); SQA off is a deterministic network and is attacked as such.",
    `The first columns on ${images(limit)}, the last three on ${images(strongLimit)}.`,
    precisionNote(rows),
    ...alarmNotes(rows),
  ];
}

import type { Attack } from "../../attacks/index.js";
import type { BudgetName } from "../../evaluation/index.js";
import type { TrainResult } from "../../training/index.js";

/** Column of accuracies, in percent: on clean images, under an attack, or in an audit's worst case. */
export interface AccuracyColumn {
  /** Identity in results, by which a measurement is found. */
  readonly key: string;
  readonly title: string;
  /** Undefined for clean images. */
  readonly attack?: Attack;
  /** Budget of an audit, in which the attack's accuracy is claimed; no audit where left out. */
  readonly audit?: BudgetName;
  /** True for a strong attack, which is measured on the images of `attackLimit`; false where left out. */
  readonly strong?: boolean;
  /** Surrogate that is attacked in the model's place, by its name. */
  readonly surrogate?: string;
  /** True where only randomized models are asked; false where left out. */
  readonly randomizedOnly?: boolean;
  readonly of?: undefined;
}

/** Column of a figure that training tells, such as its seconds. */
export interface TrainingColumn {
  readonly key: string;
  readonly title: string;
  of(training: TrainResult): number;
}

/** Column of a table of accuracies. */
export type Column = AccuracyColumn | TrainingColumn;

/** Tells whether a column holds accuracies. */
export function isAccuracy(column: Column): column is AccuracyColumn {
  return column.of === undefined;
}

/** Column of the accuracies on clean images. */
export const clean: AccuracyColumn = { key: "clean", title: "clean" };

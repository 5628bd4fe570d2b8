import type { Attack } from "../../attacks/index.js";
import type { BudgetName, EvaluationEvent, VerdictName } from "../../evaluation/index.js";
import type { TrainConfig, TrainEvent, TrainResult } from "../../training/index.js";
import type { Machine } from "./share-machine.js";

/**
 * Question to a trained model: its accuracy on clean test images, under an attack, or in the worst case of an
 * audit.
 */
export interface Question {
  /** Identity among the questions of a cell, by which its answer is found. */
  readonly key: string;
  /** Undefined asks for the clean images. */
  readonly attack?: Attack | undefined;
  /** Asks for an audit of this budget, in which somebody claims the accuracy under the attack. */
  readonly audit?: BudgetName | undefined;
  /** Number of test images, the first ones; null for all. */
  readonly limit: number | null;
  /** Asks the model without the noise of its defenses; false where left out. */
  readonly noiseFree?: boolean | undefined;
  /** Surrogate that is attacked in the model's place, by its name. */
  readonly surrogate?: string | undefined;
}

/** Accuracy of a model, with its 95 % interval. */
export interface Answer {
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Test images. */
  readonly images: number;
  /** Verdict of an audit, whose accuracy is that in the worst case of its attacks. */
  readonly verdict?: VerdictName | undefined;
  /** Machine that gave it; left out by answers that an earlier version kept. */
  readonly machine?: Machine | undefined;
}

/** One run of a table, and what its model is asked. */
export interface Cell {
  /** Name in progress and errors, which no other cell of the table has: `small-sqa-seed0`. */
  readonly name: string;
  readonly config: TrainConfig;
  readonly questions: readonly Question[];
}

/** Finished cell: plain data, which another process can send. */
export interface CellOutcome {
  /** Name of the cell. */
  readonly cell: string;
  /** Run folder. */
  readonly run: string;
  readonly training: TrainResult;
  /** Answers by the keys of their questions. */
  readonly answers: Readonly<Record<string, Answer>>;
}

/** Event of a cell. */
export type CellEvent =
  | { readonly type: "train"; readonly cell: string; readonly event: TrainEvent }
  | { readonly type: "evaluate"; readonly cell: string; readonly event: EvaluationEvent }
  /** `done`: seconds of the expected ones that finished work of the audit stands for. */
  | { readonly type: "audit"; readonly cell: string; readonly done: number; readonly seconds: number }
  | { readonly type: "outcome"; readonly cell: string; readonly outcome: CellOutcome };

/** Manner in which cells are done. */
export interface CellOptions {
  /** Folder of run folders. */
  readonly runs: string;
  /** Device that computes. */
  readonly device: string;
  /** Threads of an operator; libtorch's own choice where left out. */
  readonly threads?: number | undefined;
}

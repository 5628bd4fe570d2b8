import {
  type CellOutcome,
  type Found,
  type Question,
  type Table,
  TableResult,
} from "../../src/paper/index.js";
import type { EpochEvent, TrainResult } from "../../src/training/index.js";

/** Results of training that nobody trained. */
export function madeUpTraining(given: Partial<TrainResult> = {}): TrainResult {
  const last = { type: "epoch", epoch: 4, step: 100, seconds: 2 } as EpochEvent;
  return {
    epochs: 4,
    steps: 100,
    seconds: 10,
    last,
    alarms: [],
    libtorch: "2.13.0",
    threads: 1,
    ...given,
  } as TrainResult;
}

/** Accuracy that a test makes up for a question to a cell. */
export type MadeUpAccuracy = (question: Question, cell: string) => number;

/** Outcomes of a table's runs, by made-up accuracies. Cells in `missing` are not finished. */
export function madeUpFound(
  table: Table,
  accuracy: MadeUpAccuracy,
  { device = "cpu", missing = [], training = () => madeUpTraining() }: MadeUpOptions = {},
): Found {
  const outcomes = table.cells(device).map(({ name, questions }): [string, CellOutcome] => {
    const answers = questions.map((question) => {
      const share = accuracy(question, name);
      const answer = {
        accuracy: share,
        low: share - 0.01,
        high: share + 0.01,
        images: question.limit ?? 10_000,
      };
      return [question.key, answer] as const;
    });
    return [
      name,
      { cell: name, run: `runs/${name}`, training: training(name), answers: Object.fromEntries(answers) },
    ];
  });
  const versions = { libtorch: "2.13.0", cpuCapability: "AVX2", kernels: "AVX2", node: "v20" };
  return {
    outcomes: new Map(outcomes.filter(([name]) => !missing.includes(name))),
    machine: { ...versions, device, threads: 1 },
    device,
    signal: new AbortController().signal,
  };
}

/** Manner in which outcomes are made up. */
export interface MadeUpOptions {
  readonly device?: string;
  readonly missing?: readonly string[];
  training?(cell: string): TrainResult;
}

/** Result of a table whose runs' accuracies are made up. */
export async function madeUpResult(
  table: Table,
  accuracy: MadeUpAccuracy,
  options: MadeUpOptions = {},
): Promise<TableResult> {
  const steps = table.gather(madeUpFound(table, accuracy, options));
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done !== true) continue;
    if (step.value === undefined) throw new Error("no row is whole");
    return new TableResult(table, step.value);
  }
}

/** Column of a question: its key without what tells rows of the same runs apart. */
export function columnOf({ key }: Question): string {
  return key.replace(/^noise-free /, "").replace(/ by .*$/, "");
}

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { parseAttack } from "../attacks/index.js";
import { FileFormatError, writeFileAtomic } from "../base/index.js";
import { datasetByName, subset } from "../datasets/index.js";
import { type Evaluation, type EvaluationEvent, evaluate, networkFromRun } from "../evaluation/index.js";
import type { Precision } from "../nn/index.js";
import {
  RunFolder,
  type TrainConfig,
  type TrainEvent,
  type TrainOptions,
  type TrainResult,
  train,
} from "../training/index.js";

/** One evaluation of a trained network: attacks by their text, on the first `limit` test images (null for all). */
export interface EvaluationPlan {
  readonly attacks: readonly string[];
  readonly limit: number | null;
  readonly draws: number;
  readonly seed: number;
  /** Attack the network with its quantizers off, and show the images to the network with them. */
  readonly transferFromTwin: boolean;
  /** Evaluate the network with its quantizers off, as a deterministic one; left out where it is as trained. */
  readonly twin?: boolean;
}

/** One cell of a table: a run, and how it is evaluated. */
export interface Cell {
  readonly name: string;
  readonly config: TrainConfig;
  readonly evaluations: readonly EvaluationPlan[];
}

/** The same cells, trained in a precision; their accuracies are measured in float32 in either. */
export function inPrecision(cells: readonly Cell[], precision: Precision): Cell[] {
  return cells.map((cell) => ({ ...cell, config: { ...cell.config, precision } }));
}

/** An evaluation as it is kept: without each image's answers. */
export type KeptEvaluation = ReturnType<typeof withoutImages>;

export interface CellOutcome {
  readonly cell: Cell;
  readonly run: string;
  readonly training: TrainResult;
  readonly evaluations: readonly KeptEvaluation[];
}

export type ExperimentEvent =
  | { type: "train"; cell: string; event: TrainEvent }
  | { type: "evaluate"; cell: string; event: EvaluationEvent }
  | { type: "outcome"; outcome: CellOutcome };

function withoutImages({ clean, attacks, ...rest }: Evaluation) {
  const { perImage: _clean, ...cleanAccuracy } = clean;
  return { ...rest, clean: cleanAccuracy, attacks: attacks.map(({ perImage: _, ...attack }) => attack) };
}

/** Where an evaluation of a run is kept: its name is the hash of its plan, with every option of its attacks. */
function evaluationFile(folder: RunFolder, plan: EvaluationPlan): string {
  const hash = createHash("sha256")
    .update(JSON.stringify({ ...plan, attacks: plan.attacks.map((text) => parseAttack(text).label) }))
    .digest("hex")
    .slice(0, 8);
  return folder.file(`evaluation-${hash}.json`);
}

function keepEvaluation(file: string, plan: EvaluationPlan, evaluation: Evaluation): void {
  writeFileAtomic(file, `${JSON.stringify({ plan, evaluation: withoutImages(evaluation) }, null, 2)}\n`);
}

/** An evaluation that was kept; throws a FileFormatError that names the file when it is damaged. */
function readEvaluation(file: string): KeptEvaluation {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { evaluation: KeptEvaluation }).evaluation;
  } catch (cause) {
    const problem = (cause as Error).message;
    throw new FileFormatError(`${file}: ${problem}; delete the file to evaluate again`, { cause });
  }
}

/** Evaluates a finished run's network by a plan; yields progress, and last the full evaluation. */
export async function* evaluateRun(
  folder: RunFolder,
  plan: EvaluationPlan,
  options: { data?: string | undefined; device?: string | undefined; signal?: AbortSignal | undefined },
): AsyncGenerator<EvaluationEvent, void> {
  const { model } = networkFromRun(folder.path);
  try {
    const { test } = datasetByName(folder.config.dataset).load({ folder: options.data });
    const split = plan.limit === null ? test : subset(test, plan.limit);
    model.module.to(options.device ?? "cpu");
    yield* evaluate(model.classifier({ quantization: plan.twin !== true }), split, {
      attacks: plan.attacks.map((text) => parseAttack(text)),
      draws: plan.draws,
      seed: plan.seed,
      surrogate: plan.transferFromTwin ? model.classifier({ quantization: false }) : undefined,
      device: options.device,
      signal: options.signal,
    });
  } finally {
    model.module.dispose();
  }
}

/**
 * Does what is missing of each cell and yields every cell's outcome: training goes on where it stopped, and an evaluation
 * that is kept in the run's folder is not repeated. Ends early when it is aborted.
 */
export async function* runCells(
  cells: readonly Cell[],
  options: TrainOptions & { runs: string },
): AsyncGenerator<ExperimentEvent, void> {
  for (const cell of cells) {
    let training: TrainResult | undefined;
    for await (const event of train(cell.config, options)) {
      yield { type: "train", cell: cell.name, event };
      if (event.type === "end") training = event.result;
    }
    if (training === undefined) return;
    const folder = RunFolder.for(cell.config, options.runs);
    const evaluations: KeptEvaluation[] = [];
    for (const plan of cell.evaluations) {
      const file = evaluationFile(folder, plan);
      if (!existsSync(file)) {
        try {
          for await (const event of evaluateRun(folder, plan, options)) {
            yield { type: "evaluate", cell: cell.name, event };
            if (event.type === "end") keepEvaluation(file, plan, event.evaluation);
          }
        } catch (error) {
          if (options.signal?.aborted && error === options.signal.reason) return;
          throw error;
        }
      }
      evaluations.push(readEvaluation(file));
    }
    yield { type: "outcome", outcome: { cell, run: folder.path, training, evaluations } };
  }
}

import { isAbort, type Steps, type Work } from "../../base/index.js";
import { audit, type Evaluation, type EvaluationEvent, evaluate } from "../../evaluation/index.js";
import type { Model } from "../../models/index.js";
import { RunFolder, train } from "../../training/index.js";
import type { Answer, Cell, CellEvent, CellOptions, CellOutcome } from "./cell.js";
import { auditsOf, keepAudit, keptAudit } from "./kept-audit.js";
import { answerDraws, keepEvaluation, keptAnswers, plansOf } from "./kept-evaluation.js";

/**
 * Does what is missing of each cell, in turn. Training goes on where it stopped, and an evaluation that is
 * kept in the run's folder is not repeated. A cell that was done before is read from its run's files, of
 * which the weights are not needed.
 *
 * Returns the outcomes in the cells' order, and undefined where the signal stopped it.
 */
export async function* runCells(
  cells: readonly Cell[],
  options: CellOptions,
  signal: AbortSignal,
): Steps<CellEvent, CellOutcome[]> {
  const outcomes: CellOutcome[] = [];
  for (const cell of cells) {
    const outcome = yield* runCell(cell, options, signal);
    if (outcome === undefined) return undefined;
    yield { type: "outcome", cell: cell.name, outcome };
    outcomes.push(outcome);
  }
  return outcomes;
}

async function* runCell(
  cell: Cell,
  options: CellOptions,
  signal: AbortSignal,
): Steps<CellEvent, CellOutcome> {
  const { name, config } = cell;
  const kept = keptOutcome(cell, options.runs);
  if (kept !== undefined) return kept;
  const work = train(config, { ...options, signal });
  const trained = yield* follow(work, signal, (event) => ({ type: "train" as const, cell: name, event }));
  if (trained === undefined) return undefined;
  const { model, folder, result: training } = trained;
  try {
    const answers = yield* answersOf(cell, model, options, signal);
    return answers === undefined ? undefined : { cell: name, run: folder, training, answers };
  } finally {
    // A module of the user's own is still in use elsewhere.
    if (model.borrowed !== true) model.module.dispose();
  }
}

/**
 * Outcome of a cell that was done before, by its run's files alone; undefined where something is missing.
 *
 * @throws FileFormatError that names a damaged file
 */
export function keptOutcome({ name, config, questions }: Cell, runs: string): CellOutcome | undefined {
  const folder = RunFolder.for(config, runs);
  const training = folder.result;
  if (training === undefined) return undefined;
  const answers: Record<string, Answer> = {};
  for (const plan of plansOf(questions)) {
    const kept = keptAnswers(folder, plan);
    if (kept === undefined) return undefined;
    Object.assign(answers, kept);
  }
  for (const question of auditsOf(questions)) {
    const kept = keptAudit(folder, question);
    if (kept === undefined) return undefined;
    answers[question.key] = kept;
  }
  return { cell: name, run: folder.path, training, answers };
}

/** Answers to all questions of a cell, kept ones and new ones. */
async function* answersOf(
  { name, config, questions }: Cell,
  model: Model,
  { runs, device }: CellOptions,
  signal: AbortSignal,
): Steps<CellEvent, Record<string, Answer>> {
  const folder = RunFolder.for(config, runs);
  const answers: Record<string, Answer> = {};
  for (const plan of plansOf(questions)) {
    if (keptAnswers(folder, plan) === undefined) {
      const { attacks, limit, noiseFree } = plan;
      model.module.to(device);
      const work = evaluate(model.classifier({ noiseFree }), config.data, {
        attacks,
        draws: answerDraws,
        device,
        signal,
        limit: limit ?? undefined,
        surrogate: plan.surrogate,
      });
      const wrap = (event: EvaluationEvent) => ({ type: "evaluate" as const, cell: name, event });
      const evaluation = yield* follow(work, signal, wrap);
      if (evaluation === undefined) return undefined;
      checkAttacks(name, evaluation);
      keepEvaluation(folder, plan, evaluation);
    }
    Object.assign(answers, keptAnswers(folder, plan));
  }
  for (const question of auditsOf(questions)) {
    if (keptAudit(folder, question) === undefined) {
      model.module.to(device);
      const asked = question.noiseFree === true ? model.classifier({ noiseFree: true }) : model;
      const work = audit(asked, config.data.test, {
        claim: question.attack,
        budget: question.audit,
        limit: question.limit ?? undefined,
        device,
        folder: folder.path,
        tensorboard: false,
        signal,
      });
      const report = yield* follow(work, signal, (event) =>
        event.type === "progress"
          ? { type: "audit" as const, cell: name, done: event.done, seconds: event.seconds }
          : undefined,
      );
      if (report === undefined) return undefined;
      keepAudit(folder, question, report);
    }
    answers[question.key] = keptAudit(folder, question)!;
  }
  return answers;
}

/** Throws an Error that names an attack which ended in one: a table has no row for it. */
function checkAttacks(cell: string, { attacks }: Evaluation): void {
  for (const { attack, robustAccuracy, ...row } of attacks) {
    if (Number.isFinite(robustAccuracy)) continue;
    const problem = "error" in row ? String(row.error) : "it has no accuracy";
    throw new Error(`${cell}: ${attack}: ${problem}`);
  }
}

/**
 * Passes on what `tell` makes of a work's events, and returns its result; undefined where the signal stopped
 * it.
 */
async function* follow<Event, Result, Told>(
  work: Work<Event, Result>,
  signal: AbortSignal,
  tell: (event: Event) => Told | undefined,
): Steps<Told, Result> {
  try {
    for await (const event of work) {
      const told = tell(event);
      if (told !== undefined) yield told;
    }
    return await work;
  } catch (error) {
    if (signal.aborted && (isAbort(error) || error === signal.reason)) return undefined;
    throw error;
  }
}

import { isAbort, type Steps, type Work } from "../../base/index.js";
import {
  audit,
  type Evaluation,
  type EvaluationEvent,
  evaluate,
  OtherSubjectError,
} from "../../evaluation/index.js";
import type { Model } from "../../models/index.js";
import { RunFolder, train } from "../../training/index.js";
import type { Answer, Cell, CellEvent, CellOptions, CellOutcome } from "./cell.js";
import { auditsOf, keepAudit, keptAudit } from "./kept-audit.js";
import {
  answerDraws,
  forgetTrials,
  keepEvaluation,
  keptAnswers,
  plansOf,
  trialStore,
} from "./kept-evaluation.js";
import { type Machine, machineWith } from "./share-machine.js";

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
  const { model } = trained;
  try {
    yield* answer(cell, model, options, signal);
    return keptOutcome(cell, options.runs);
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

/** Trained model of a cell on its device, and what keeps the answers that it gives. */
interface Answering {
  readonly cell: Cell;
  readonly model: Model;
  readonly folder: RunFolder;
  readonly device: string;
  readonly machine: Machine;
}

/** Answers the questions of a cell that no file answers yet, and keeps the answers, until the signal. */
async function* answer(
  cell: Cell,
  model: Model,
  { runs, device }: CellOptions,
  signal: AbortSignal,
): Steps<CellEvent, void> {
  const folder = RunFolder.for(cell.config, runs);
  const answering: Answering = { cell, model, folder, device, machine: machineWith(device) };
  model.module.to(device);
  yield* evaluateCell(answering, signal);
  if (!signal.aborted) yield* auditCell(answering, signal);
}

/** Makes the evaluations that no file keeps yet, until the signal. */
async function* evaluateCell(
  { cell: { name, config, questions }, model, folder, device, machine }: Answering,
  signal: AbortSignal,
): Steps<CellEvent, void> {
  for (const plan of plansOf(questions)) {
    if (keptAnswers(folder, plan) !== undefined) continue;
    const { attacks, limit, noiseFree, surrogate } = plan;
    const begin = () =>
      evaluate(noiseFree ? model.classifier({ noiseFree }) : model, config.data, {
        attacks,
        draws: answerDraws,
        device,
        store: trialStore(folder, plan),
        signal,
        limit: limit ?? undefined,
        surrogate,
      });
    const wrap = (event: EvaluationEvent) => ({ type: "evaluate" as const, cell: name, event });
    let evaluation: Evaluation | undefined;
    try {
      evaluation = yield* follow(begin(), signal, wrap);
    } catch (error) {
      if (!(error instanceof OtherSubjectError)) throw error;
      // A noise-free model is known by its answers, whose last bits may differ on another device.
      forgetTrials(folder, plan);
      evaluation = yield* follow(begin(), signal, wrap);
    }
    if (evaluation === undefined) return;
    checkAttacks(name, evaluation);
    keepEvaluation(folder, plan, evaluation, machine);
  }
}

/** Makes the audits that no file keeps yet, until the signal. */
async function* auditCell(
  { cell: { name, config, questions }, model, folder, device, machine }: Answering,
  signal: AbortSignal,
): Steps<CellEvent, void> {
  for (const question of auditsOf(questions)) {
    if (keptAudit(folder, question) !== undefined) continue;
    const { attack: claim, audit: budget, limit, noiseFree } = question;
    const work = audit(noiseFree === true ? model.classifier({ noiseFree }) : model, config.data.test, {
      claim,
      budget,
      limit: limit ?? undefined,
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
    if (report === undefined) return;
    keepAudit(folder, question, report, machine);
  }
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

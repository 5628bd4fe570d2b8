import { setImmediate as turn } from "node:timers/promises";
import { type Split, TensorSplit } from "../../datasets/index.js";
import { deriveSeed, scope } from "../../engine/index.js";
import { accuracyOf, type Counts } from "../answers.js";
import type { Accuracy } from "../interval.js";
import { worstEveryDrawOf, worstOf, worstVoteOf } from "../worst-of.js";
import { batchImages } from "./budget.js";
import type { AuditPlan, AuditResults, Finding } from "./check.js";
import { checks } from "./checks/index.js";
import { estimateSeconds } from "./estimate.js";
import { type Player, playerOf } from "./players.js";
import { runTrialBatch } from "./run-trial.js";
import type { TrialStore } from "./store.js";
import { traceOf } from "./trace.js";
import { attackOf, blackBox, type Trial, trialLabel } from "./trial.js";
import { joinBatches, type TrialBatch, type TrialResult } from "./trial-result.js";
import { type Verdict, verdictOf } from "./verdict.js";

/** A line of the checklist with what was found. */
export interface CheckedLine extends Finding {
  readonly name: string;
  readonly question: string;
  readonly source: string;
}

export interface Audit {
  readonly verdict: Verdict;
  readonly images: number;
  readonly clean: Accuracy;
  /** Accuracy under the attack that the claim names. */
  readonly claim: Accuracy;
  /** Each image's worst case over all attacks in the ball, judged by draws that did not choose it. */
  readonly worst: Accuracy;
  /** The worst case of the vote of half the draws, the other half of which chose it; undefined for a deterministic network. */
  readonly majority?: Accuracy;
  /**
   * Share of images right in every draw, each half of the draws under the attack that the other half chose for the image: what
   * is left to an attacker who may ask as often. Undefined as `majority`.
   */
  readonly everyDraw?: Accuracy;
  readonly lines: readonly CheckedLine[];
  /** Every trial's outcome, in the order of running. */
  readonly trials: readonly TrialResult[];
  /** Mean loss of a few images at each step of the standard attack; none where it met logits or gradients that are not finite. */
  readonly losses: readonly number[];
  /** For each image the trial in the ball that did it most harm; its label. */
  readonly brokenBy: readonly string[];
}

export type AuditEvent =
  /** The expected time is being worked out: the passes of each attack are counted on a network that costs nothing. */
  | { readonly type: "estimate"; readonly trials: number }
  /** `seconds`: expected for the work that the store does not hold, at most. */
  | { readonly type: "plan"; readonly trials: number; readonly seconds: number }
  /** `done`: of the expected seconds, those of finished work. */
  | { readonly type: "progress"; readonly trial: Trial; readonly done: number; readonly seconds: number }
  | { readonly type: "trial"; readonly result: TrialResult; readonly accuracy: Accuracy }
  | { readonly type: "end"; readonly audit: Audit };

export interface AuditOptions {
  readonly store: TrialStore;
  /** Aborting ends the audit after the current batch with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const clean = blackBox("none");

/** Every trial that the claim and the checks need, each once, in the order of the checklist. */
export function trialsOf(plan: AuditPlan): Trial[] {
  const wanted = [clean, plan.claim, ...checks.flatMap((check) => check.trials(plan))];
  const byLabel = new Map<string, Trial>();
  for (const trial of wanted) {
    const known = byLabel.get(trialLabel(trial));
    // Where a check needs the claimed attack as well, the check knows what it goes by.
    if (known === undefined || known === plan.claim) byLabel.set(trialLabel(trial), trial);
  }
  return [...byLabel.values()];
}

/** Whether a trial's images lie in the ball of the claim and were shown to the audited network. */
function inBall({ norm, epsilon }: AuditPlan, trial: Trial): boolean {
  if (trial.shownTo !== "network") return false;
  const attack = attackOf(trial);
  if (attack === undefined) return true;
  const { traits } = attack;
  return traits.norm === norm && traits.radius !== undefined && traits.radius <= epsilon * (1 + 1e-9);
}

/**
 * Audits a network's robustness: runs the trials that the checklist needs and that the store does not hold, and judges.
 *
 * Yields the plan with the expected time, progress after each batch, each trial's outcome, and last the audit. Stopped or
 * killed at any moment it goes on where it was, from the same store. Throws a RangeError when the split is empty, or a
 * randomized network is to answer in fewer than 2 draws.
 */
export async function* audit(plan: AuditPlan, split: Split, options: AuditOptions): AsyncGenerator<AuditEvent, void> {
  const { store, signal } = options;
  const { subject, budget, seed } = plan;
  if (split.count === 0) throw new RangeError("the split must hold at least one image");
  if (subject.model.randomized && budget.draws < 2) {
    throw new RangeError(`budget.draws must be at least 2 for a randomized network, not ${budget.draws}`);
  }
  const data = new TensorSplit(split, subject.model.inputShape);
  const trials = trialsOf(plan);
  const batches = Math.ceil(split.count / batchImages);
  try {
    const kept = new Map(trials.map((trial) => [trial, keptBatches(plan, trial, split.count, store)]));
    const missing = (trial: Trial) => kept.get(trial)!.filter((record) => record === undefined);
    const unfinished = trials.filter((trial) => missing(trial).length > 0);
    yield { type: "estimate", trials: trials.length };
    await turn();
    const expected = scope(() => estimateSeconds(plan, data.range(0, 16), unfinished));
    const ofBatch = (trial: Trial) => expected.get(trialLabel(trial))! * Math.min(batchImages, split.count);
    const seconds = unfinished.reduce((sum, trial) => sum + missing(trial).length * ofBatch(trial), 0);
    yield { type: "plan", trials: trials.length, seconds };
    const results = new Map<string, TrialResult>();
    let done = 0;
    for (const trial of trials) {
      const records: TrialBatch[] = [];
      for (let batch = 0; batch < batches; batch++) {
        let record = kept.get(trial)![batch];
        if (record === undefined) {
          await turn();
          signal?.throwIfAborted();
          record = scope(() => {
            const { after } = trial;
            const earlier = after && { images: store.images(after, batch), correct: correctIn(results, after, batch) };
            const given = { seed, draws: budget.draws, earlier };
            const run = runTrialBatch(subject, trial, data.range(batch * batchImages, batchImages), given);
            store.write(trial, batch, run.record, run.images);
            return run.record;
          });
          done += ofBatch(trial);
          yield { type: "progress", trial, done, seconds };
        }
        records.push(record);
      }
      const result = joinBatches(trial, records);
      results.set(result.label, result);
      yield { type: "trial", result, accuracy: accuracyIn(plan, result.answers, result.label, trial.shownTo) };
    }
    yield { type: "end", audit: scope(() => conclude(plan, [...results.values()], data)) };
  } finally {
    data.dispose();
  }
}

/** What the store holds of each batch of a trial. Throws a FileFormatError where that is not of this audit. */
function keptBatches(
  { subject, budget }: AuditPlan,
  trial: Trial,
  images: number,
  store: TrialStore,
): (TrialBatch | undefined)[] {
  const draws = playerOf(subject, trial.shownTo).randomized ? budget.draws : 1;
  return Array.from({ length: Math.ceil(images / batchImages) }, (_, batch) => {
    const count = Math.min(batchImages, images - batch * batchImages);
    return store.read(trial, batch, { count, draws, shape: subject.model.inputShape });
  });
}

/** In how many draws each image of a batch was answered correctly under a trial that has run. */
function correctIn(results: ReadonlyMap<string, TrialResult>, trial: Trial, batch: number): number[] {
  const { answers } = results.get(trialLabel(trial))!;
  return [...answers.correct.slice(batch * batchImages, (batch + 1) * batchImages)];
}

function accuracyIn({ subject, seed }: AuditPlan, answers: Counts, name: string, of: Player = "network"): Accuracy {
  return accuracyOf(answers, playerOf(subject, of).randomized, deriveSeed(seed, "interval", name));
}

function conclude(plan: AuditPlan, trials: readonly TrialResult[], data: TensorSplit): Audit {
  const of = (trial: Trial): TrialResult => {
    const label = trialLabel(trial);
    const result = trials.find((one) => one.label === label);
    if (result === undefined) throw new Error(`trial ${label} was not run`);
    return result;
  };
  const within = trials.filter(({ trial }) => inBall(plan, trial));
  const byGradients = within.filter(({ trial }) => trial.whiteBox || trial.attack === "none");
  const { randomized, classes } = plan.subject.model;
  const rowsOf = (some: readonly TrialResult[]) => some.map(({ answers }) => answers);
  const sample = data.range(0, 100);
  const trace = traceOf(plan, sample);
  const results: AuditResults = {
    of,
    clean: of(clean).answers,
    whiteBox: worstOf(rowsOf(byGradients), randomized),
    worst: worstOf(rowsOf(within), randomized),
    trials,
    sample,
    trace,
  };
  const lines = checks.map((check) => {
    const { name, question, source } = check;
    return { name, question, source, ...scope(() => check.judge(plan, results)) };
  });
  const claim = of(plan.claim).answers;
  return {
    verdict: verdictOf(lines, claim, results.worst, classes),
    images: data.count,
    clean: accuracyIn(plan, results.clean, "clean"),
    claim: accuracyIn(plan, claim, "claim"),
    worst: accuracyIn(plan, results.worst, "worst"),
    ...(randomized
      ? {
          majority: worstVoteOf(rowsOf(within), deriveSeed(plan.seed, "interval", "majority")),
          everyDraw: worstEveryDrawOf(rowsOf(within)),
        }
      : {}),
    lines,
    trials,
    losses: trace.stop === undefined ? trace.losses : [],
    brokenBy: Array.from({ length: data.count }, (_, image) => mostHarmful(within, image)),
  };
}

function mostHarmful(within: readonly TrialResult[], image: number): string {
  const share = ({ answers }: TrialResult) => answers.correct[image]! / answers.draws;
  return within.reduce((worst, result) => (share(result) < share(worst) ? result : worst)).label;
}

import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { deriveSeed, type Steps, Work } from "../../base/index.js";
import { TensorSplit } from "../../datasets/index.js";
import { noGrad, scope } from "../../engine/index.js";
import {
  type Accuracy,
  type Attackable,
  checkAnswers,
  checkImagesFit,
  checkSameForm,
  FolderStore,
  hasFailed,
  type ImageSource,
  type KeptBatches,
  keptBatches,
  MemoryStore,
  type OpenedModel,
  openModel,
  type Players,
  playersOn,
  runTrials,
  splitFrom,
  type Trial,
  type TrialOptions,
  type TrialOutcome,
  type TrialStore,
  trialSeeds,
} from "../../trials/index.js";
import { accuracyIn, conclude, inBall } from "./conclude.js";
import { countPasses, estimateSeconds, planNote } from "./estimate.js";
import { type AuditSubject, auditName } from "./identity.js";
import { type AuditOptions, auditSettings } from "./options.js";
import type { AuditPlan } from "./plan.js";
import { type Report, reportOf } from "./report/report.js";
import { trialsOf } from "./trials-of.js";
import { worstImages } from "./worst-images.js";

export type AuditEvent =
  /**
   * The expected time is being worked out: passes of each attack are counted on a classifier that costs
   * nothing.
   */
  | { readonly type: "estimate"; readonly trials: number }
  /**
   * `seconds`: at most, for the work that is not kept; `folder`: where trials are kept, undefined in memory.
   */
  | {
      readonly type: "plan";
      readonly trials: number;
      readonly seconds: number;
      readonly folder?: string | undefined;
    }
  /** `done`: seconds of the expected ones that finished work stands for. */
  | { readonly type: "progress"; readonly trial: Trial; readonly done: number; readonly seconds: number }
  /** End of a trial, with its accuracy unless it ended in an error. */
  | { readonly type: "trial"; readonly outcome: TrialOutcome; readonly accuracy?: Accuracy };

/** Images that a pass through the model is timed on. */
const timedImages = 16;

/**
 * Audits a model's robustness: runs the trials that the checklist needs, judges each line, and concludes.
 *
 * Stopped or killed at any moment it continues behind the last finished batch, where a folder or a store
 * keeps the trials. An attack that ends in an error skips the checks that need it.
 *
 * @param model a model, an architecture (built with seed 0) or a classifier
 * @param images a split such as `mnist().test`, or a data set, which means its test split
 * @throws TypeError or RangeError, before anything runs, for options that do not fit each other, the model or
 *   the images
 * @example
 * const report = await audit(model, mnist().test, { epsilon: 0.3, budget: "quick", limit: 50 });
 * console.log(report.verdict.text);
 * await report.write("audit");
 */
export function audit(
  model: Attackable,
  images: ImageSource,
  options: AuditOptions,
): Work<AuditEvent, Report> {
  return new Work((signal) => steps(model, images, options, signal), options?.signal);
}

async function* steps(
  model: Attackable,
  images: ImageSource,
  options: AuditOptions,
  signal: AbortSignal,
): Steps<AuditEvent, Report> {
  const settings = auditSettings(options);
  const all = splitFrom(images);
  const split = splitFrom(all, options.limit ?? Math.min(all.count, settings.budget.images));
  const opened = openModel(model, options.device);
  const others: Record<string, OpenedModel> = {};
  const closing: (() => void)[] = [opened.putBack];
  try {
    checkImagesFit(split, opened.name, opened.classifier);
    if (opened.classifier.randomized && settings.budget.draws < 2) {
      const { draws } = settings.budget;
      throw new RangeError(`budget.draws must be at least 2 for a randomized model, not ${draws}`);
    }
    settings.claim.attack!.check(opened.classifier);
    for (const [name, other] of Object.entries(options.transfers ?? {})) {
      others[name] = openModel(other, opened.device, `transfers.${name}`);
      closing.push(others[name].putBack);
      checkSameForm(`transfers.${name}`, others[name].classifier, opened.classifier);
    }
    const data = new TensorSplit(split, { device: opened.device });
    closing.push(() => data.dispose());
    for (const one of [opened, ...Object.values(others)]) checkAnswers(one, data);
    const subject = { settings, opened, transfers: others, split, data };
    const players = playersOn(opened.device, playersOf(subject), signal);
    closing.push(() => players.dispose());
    return yield* stepsOf(subject, players, options, signal);
  } catch (error) {
    // A pass that the signal ended throws its reason.
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    for (const close of closing) close();
  }
}

function playersOf({ opened, transfers }: AuditSubject): Players {
  const others = Object.entries(transfers).map(([name, { classifier }]) => [name, classifier] as const);
  return { model: opened.classifier, transfers: Object.fromEntries(others) };
}

/**
 * Change of logits beyond which a surrogate answers otherwise than the model, as a share of the largest
 * logit.
 */
const noticeable = 1e-3;

/**
 * Names of the surrogates that answer otherwise than the model: images made on them are an attack of their
 * own.
 */
function lendersOf({ model }: Players, data: TensorSplit): string[] {
  return scope(() =>
    noGrad(() => {
      const { images, imageIds } = data.range(0, timedImages);
      const noise = { seed: { low: 0, high: 0 }, draw: 0, imageIds };
      const logits = model.logits(images, noise);
      const limit = noticeable * logits.abs().amax().item();
      return Object.entries(model.surrogates ?? {})
        .filter(
          ([, surrogate]) => !(surrogate.logits(images, noise).sub(logits).abs().amax().item() <= limit),
        )
        .map(([name]) => name);
    }),
  );
}

async function* stepsOf(
  subject: AuditSubject,
  players: Players,
  options: AuditOptions,
  signal: AbortSignal,
): Steps<AuditEvent, Report> {
  const { settings, split, data } = subject;
  const { batchSize, norm, epsilon, claim } = settings;
  const seed = deriveSeed(settings.seed, "audit");
  const budget = { ...settings.budget, images: split.count };
  const plan: AuditPlan = { players, budget, norm, epsilon, claim, seed, lenders: lendersOf(players, data) };
  const id = auditName(subject);
  const folder = options.folder === undefined ? undefined : join(options.folder, id);
  const store = options.store ?? (folder === undefined ? new MemoryStore() : new FolderStore(folder));
  const trials = trialsOf(plan);
  const given = { players, draws: budget.draws, seeds: trialSeeds(seed), batchSize, store, signal };
  const kept = keptBatches(trials, data, given);
  yield { type: "estimate", trials: trials.length };
  const time = await expectedTime(plan, data, kept, { ...given, store });
  if (signal.aborted) return undefined;
  const ofTrial = { seconds: time.ofBatch, inBall: (trial: Trial) => inBall(plan, trial) };
  store.writeNote("plan", planNote(trials, data, batchSize, ofTrial));
  yield { type: "plan", trials: trials.length, seconds: time.seconds, folder };
  let done = 0;
  const outcomes: TrialOutcome[] = [];
  for await (const event of runTrials(trials, data, { ...given, kept })) {
    if (event.type === "progress") {
      if (event.kept || event.done === 0) continue;
      done += time.ofBatch(event.trial);
      yield { type: "progress", trial: event.trial, done, seconds: time.seconds };
      continue;
    }
    const { outcome } = event;
    outcomes.push(outcome);
    if (!hasFailed(outcome)) yield { type: "trial", outcome, accuracy: accuracyOfTrial(plan, outcome) };
    else if (outcome.trial.id === claim.id) throw claimError(outcome.error, claim);
    else yield { type: "trial", outcome };
  }
  if (outcomes.length < trials.length) return undefined;
  const conclusion = scope(() => conclude(plan, outcomes, data));
  const worst = worstImages(plan, conclusion.brokenBy, data, store, batchSize);
  return reportOf({ conclusion, plan, worst, subject, id, folder });
}

function accuracyOfTrial(
  plan: AuditPlan,
  { trial, answers }: Exclude<TrialOutcome, { error: Error }>,
): Accuracy {
  return accuracyIn(plan, answers, trial.id, trial.shownTo);
}

/** Error of an audit whose claimed attack failed: without it there is nothing to judge. */
function claimError(error: Error, claim: Trial): Error {
  return new Error(
    `the claimed attack ended in an error, so there is no claim to audit: ${claim.id}: ${error.message}`,
    {
      cause: error,
    },
  );
}

/** Seconds that all missing batches take at most, and those of a batch of a trial. */
async function expectedTime(
  plan: AuditPlan,
  data: TensorSplit,
  kept: ReadonlyMap<Trial, KeptBatches>,
  { batchSize, signal, store }: Pick<TrialOptions, "batchSize" | "signal"> & { readonly store: TrialStore },
) {
  const missing = [...kept].map(([trial, batches]) => ({
    trial,
    count: batches.filter((one) => !one).length,
  }));
  const unfinished = missing.filter(({ count }) => count > 0);
  const trials = unfinished.map(({ trial }) => trial);
  const counting = countPasses(plan, data, trials, store, signal);
  let step = counting.next();
  while (step.done !== true) {
    await turn();
    if (signal?.aborted) return { seconds: 0, ofBatch: () => 0 };
    step = counting.next();
  }
  const passes = step.value;
  const ofImage = scope(() => estimateSeconds(plan, data.range(0, timedImages), trials, passes));
  const ofBatch = (trial: Trial) => (ofImage.get(trial.id) ?? 0) * Math.min(batchSize, data.count);
  return { seconds: unfinished.reduce((sum, { trial, count }) => sum + count * ofBatch(trial), 0), ofBatch };
}

import { join } from "node:path";
import { deriveSeed, type Steps, Work } from "../../base/index.js";
import { prepareImages, TensorSplit } from "../../datasets/index.js";
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
  keptBatches,
  MemoryStore,
  type OpenedModel,
  openModel,
  type Players,
  playersOn,
  runTrials,
  splitFrom,
  type Trial,
  type TrialOutcome,
  trialSeeds,
} from "../../trials/index.js";
import { checkCleanFirst } from "./clean-first.js";
import { accuracyIn, conclude, inBall } from "./conclude.js";
import { checkShared } from "./criterion/baseline.js";
import { writeCriterion } from "./criterion/criterion.js";
import { checkMeasured } from "./criterion/requirement.js";
import { imageHashes } from "./evidence/data-facts.js";
import { type AuditSubject, auditName } from "./identity.js";
import { type AuditOptions, auditSettings } from "./options.js";
import type { AuditPlan } from "./plan.js";
import { type Report, reportOf } from "./report/report.js";
import { AuditLog } from "./report/tensorboard.js";
import { planNote } from "./time/estimate.js";
import { expectedTime } from "./time/expected-time.js";
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

/** Images that surrogates are compared with the model on. */
const comparedImages = 16;

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
    const { randomized } = opened.classifier;
    checkMeasured(settings.requirements, { randomized, seeds: settings.budget.seeds });
    for (const [name, other] of Object.entries(options.transfers ?? {})) {
      others[name] = openModel(other, opened.device, `transfers.${name}`);
      closing.push(others[name].putBack);
      checkSameForm(`transfers.${name}`, others[name].classifier, opened.classifier);
    }
    await prepareImages(split, { signal });
    const data = new TensorSplit(split, { device: opened.device });
    closing.push(() => data.dispose());
    for (const one of [opened, ...Object.values(others)]) checkAnswers(one, data);
    if (settings.baseline !== undefined) checkShared(settings.baseline, imageHashes(data));
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
      const { images, imageIds } = data.range(0, comparedImages);
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
  const { batchSize, norm, epsilon, claim, claimed } = settings;
  const seed = deriveSeed(settings.seed, "audit");
  const budget = { ...settings.budget, images: split.count };
  const lenders = lendersOf(players, data);
  const plan: AuditPlan = { players, budget, norm, epsilon, claim, claimed, seed, lenders };
  const id = auditName(subject);
  const folder = options.folder === undefined ? undefined : join(options.folder, id);
  const store = options.store ?? (folder === undefined ? new MemoryStore() : new FolderStore(folder));
  const trials = trialsOf(plan);
  const given = { players, draws: budget.draws, seeds: trialSeeds(seed), batchSize, store, signal };
  await checkCleanFirst(plan, data, given, { expected: options.expectClean, model: subject.opened.name });
  if (signal.aborted) return undefined;
  const kept = keptBatches(trials, data, given);
  const known = [...kept.values()].flat().filter((batch) => batch !== undefined).length;
  const criteria =
    settings.require === undefined
      ? { criterion: undefined, others: [] }
      : writeCriterion(store, settings.require, known);
  const startedAt = new Date().toISOString();
  yield { type: "estimate", trials: trials.length };
  const time = await expectedTime(plan, data, kept, { ...given, store });
  if (signal.aborted) return undefined;
  const ofTrial = { seconds: time.ofBatch, inBall: (trial: Trial) => inBall(plan, trial) };
  store.writeNote("plan", planNote(trials, data, batchSize, ofTrial));
  yield { type: "plan", trials: trials.length, seconds: time.seconds, folder };
  const log = folder === undefined || options.tensorboard === false ? undefined : new AuditLog(folder, plan);
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
    log?.trial(outcome);
    if (!hasFailed(outcome)) yield { type: "trial", outcome, accuracy: accuracyOfTrial(plan, outcome) };
    else if (outcome.trial.id === claim.id) throw claimError(outcome.error, claim);
    else yield { type: "trial", outcome };
  }
  if (outcomes.length < trials.length) return undefined;
  const conclusion = scope(() => conclude(plan, outcomes, data, settings));
  const worst = worstImages(plan, conclusion.brokenBy, data, store, batchSize);
  const report = reportOf({ conclusion, plan, worst, subject, id, folder, criteria, startedAt });
  log?.end(report);
  return report;
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

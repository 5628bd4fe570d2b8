import { attackLabel } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import type { TensorSplit } from "../../datasets/index.js";
import { formatRatio } from "../../options/index.js";
import {
  type Accuracy,
  type Answers,
  accuracyOf,
  type Counts,
  clean,
  type FailedTrial,
  hasFailed,
  type Player,
  playerOf,
  type Trial,
  type TrialOutcome,
  type TrialResult,
  type TrialStore,
  worstEveryDrawOf,
  worstOf,
  worstVoteOf,
} from "../../trials/index.js";
import { askAgain } from "./ask-again.js";
import { type CheckedLine, checklist } from "./checks/index.js";
import { endOf, lineOf, unlessEnded } from "./checks/judged-line.js";
import { type ConvergenceCurve, convergenceOf } from "./curves/convergence-curves.js";
import { type Curve, curvesOf } from "./curves/curves.js";
import type { AuditPlan, AuditResults, Trace } from "./plan.js";
import { traceOf } from "./trace.js";
import { type Resolution, resolutionOf } from "./verdict/resolution.js";
import { type AuditVerdict, verdictName } from "./verdict/verdict.js";
import { verdictOf } from "./verdict/verdict-text.js";
import { distinctImages, mostHarmful } from "./worst-images.js";

/** Images that checks examine by themselves, beside all trials. */
const sampleImages = 100;

/** Findings of an audit. */
export interface Conclusion {
  readonly verdict: AuditVerdict;
  readonly images: number;
  readonly clean: Accuracy;
  /** Accuracy under the claimed attack. */
  readonly claim: Accuracy;
  /** Worst case of each image over all attacks in the ball, judged by draws that did not choose it. */
  readonly worst: Accuracy;
  /**
   * Worst case of the vote of half the draws, the other half of which chose it; undefined for a deterministic
   * model.
   */
  readonly majority?: Accuracy;
  /**
   * Share of images correct in every draw, each half of the draws under the attack that the other half chose
   * for the image: the accuracy against an attacker who may ask as often. Undefined as `majority`.
   */
  readonly everyDraw?: Accuracy;
  readonly lines: readonly CheckedLine[];
  /** Every trial's outcome, in the order of running. */
  readonly trials: readonly TrialResult[];
  /** Trials that ended in an error; the checks that need them were skipped. */
  readonly failed: readonly FailedTrial[];
  /** These, and checks that ended in an error themselves, each a sentence without a full stop. */
  readonly errors: readonly string[];
  /** Accuracy against epsilon, a curve for each attack. */
  readonly curves: readonly Curve[];
  /** Accuracy against steps, restarts and draws. */
  readonly convergence: readonly ConvergenceCurve[];
  /** Mean loss of a few images at each step of the standard attack; none where a number was not finite. */
  readonly losses: readonly number[];
  /** For each image the trial in the ball that did it most harm. */
  readonly brokenBy: readonly TrialResult[];
  /** Difference that the images can show. */
  readonly resolution: Resolution;
  /** Answers to each image, clean and in the worst case. */
  readonly counts: { readonly clean: Answers; readonly worst: Counts };
}

/** Tells trials whose images lie in the ball of the claim and were shown to the audited model. */
export function inBall({ norm, epsilon }: AuditPlan, { attack, shownTo }: Trial): boolean {
  if (shownTo !== "model") return false;
  if (attack === undefined) return true;
  const { traits } = attack;
  return traits.norm === norm && traits.radius !== undefined && traits.radius <= epsilon * (1 + 1e-9);
}

/** Accuracy of a plan's model with its interval, which `name` tells from others. */
export function accuracyIn(
  { players, seed }: AuditPlan,
  answers: Counts,
  name: string,
  of: Player = "model",
): Accuracy {
  return accuracyOf(answers, playerOf(players, of).randomized, deriveSeed(seed, "interval", name));
}

/** Name of the audited model, the bound on the resolution, and the store that keeps the trials. */
interface Given {
  readonly model: string;
  readonly resolution: number;
  readonly store: TrialStore;
}

/** Judges the outcomes of all of a plan's trials. */
export function conclude(
  plan: AuditPlan,
  outcomes: readonly TrialOutcome[],
  data: TensorSplit,
  { model, resolution: bound, store }: Given,
  signal?: AbortSignal,
): Conclusion {
  const failed = outcomes.filter(hasFailed);
  const trials = outcomes.filter((outcome): outcome is TrialResult => !hasFailed(outcome));
  const within = trials.filter(({ trial }) => inBall(plan, trial));
  const errors = failed.map(({ trial, error }) => endOf(trial.id, error));
  const sample = data.range(0, sampleImages);
  const trace = unlessEnded<Trace>(
    () => traceOf(plan, sample),
    (error) => {
      const stop = endOf("the standard attack", error);
      errors.push(stop);
      return { losses: [], fooled: [], stop };
    },
    signal,
  );
  const again = (result: TrialResult) =>
    askAgain(plan, result, data, { store, batchSize: plan.batchSize, images: sampleImages });
  const results: AuditResults = { ...answersOf(plan, trials, within, again), sample, trace };
  const lines = checklist().map((check) => {
    const fail = (error: Error) => errors.push(endOf(`the check ${check.name}`, error));
    return lineOf(check, plan, results, { failed, fail }, signal);
  });
  const resolution = resolutionOf(results.of(plan.claim).answers, results.worst, bound, distinctImages(data));
  const figures = figuresIn(plan, results);
  return {
    verdict: judged(plan, results, { lines, figures, resolution, errors, model, within, images: data.count }),
    images: data.count,
    ...figures,
    ...(plan.players.model.randomized
      ? {
          majority: worstVoteOf(answersIn(within), deriveSeed(plan.seed, "interval", "majority")),
          everyDraw: worstEveryDrawOf(answersIn(within)),
        }
      : {}),
    lines,
    trials,
    failed,
    errors,
    curves: curvesOf(plan, results),
    convergence: convergenceOf(plan, results),
    losses: trace.stop === undefined ? trace.losses : [],
    brokenBy: mostHarmful(within, data.count),
    resolution,
    counts: { clean: results.clean, worst: results.worst },
  };
}

const answersIn = (some: readonly TrialResult[]) => some.map(({ answers }) => answers);

/**
 * Outcomes of trials as checks ask for them.
 *
 * @param within those of the trials in the ball
 * @param again asks the model once more about a trial's first images
 */
function answersOf(
  { players: { model } }: AuditPlan,
  trials: readonly TrialResult[],
  within: readonly TrialResult[],
  again: (result: TrialResult) => ReturnType<AuditResults["again"]>,
): Omit<AuditResults, "sample" | "trace"> {
  const byId = new Map(trials.map((result) => [result.trial.id, result]));
  const of = (trial: Trial): TrialResult => {
    const result = byId.get(trial.id);
    if (result === undefined) throw new Error(`trial ${trial.id} was not run`);
    return result;
  };
  const byGradients = within.filter(({ trial }) => trial.whiteBox || trial.attack === undefined);
  return {
    of,
    has: ({ id }) => byId.has(id),
    clean: of(clean).answers,
    byGradients: worstOf(answersIn(byGradients), model.randomized),
    worst: worstOf(answersIn(within), model.randomized),
    trials,
    again: (trial) => again(of(trial)),
  };
}

/** Accuracies that an audit is about, with their intervals. */
function figuresIn(plan: AuditPlan, results: AuditResults): Pick<Conclusion, "clean" | "claim" | "worst"> {
  return {
    clean: accuracyIn(plan, results.clean, "clean"),
    claim: accuracyIn(plan, results.of(plan.claim).answers, "claim"),
    worst: accuracyIn(plan, results.worst, "worst"),
  };
}

/** Verdict on what was found. */
function judged(
  plan: AuditPlan,
  { of, worst }: AuditResults,
  found: Pick<Conclusion, "lines" | "resolution" | "errors" | "images"> & {
    readonly figures: ReturnType<typeof figuresIn>;
    readonly model: string;
    readonly within: readonly TrialResult[];
  },
): AuditVerdict {
  const { lines, resolution, errors, images, figures, model, within } = found;
  const { claimed } = plan;
  const { classes } = plan.players.model;
  const claim = of(plan.claim).answers;
  const name = verdictName(lines, { claim, worst, classes, claimed, resolution, errors });
  return verdictOf(name, {
    model,
    attack: attackLabel(plan.claim.attack!, { radius: false }),
    claimed,
    ball: `${plan.norm} ${formatRatio(plan.epsilon)}`,
    ...figures,
    chance: 1 / classes,
    strongest: strongestOf(within),
    images,
    resolution,
    errors,
    lines,
  });
}

/** Name of the attack under which the accuracy is lowest, with that; undefined for the clean images. */
function strongestOf(within: readonly TrialResult[]) {
  const { trial, answers } = within.reduce((a, b) => (b.answers.mean() < a.answers.mean() ? b : a));
  const attack = trial.attack && attackLabel(trial.attack, { radius: false });
  return { attack, accuracy: answers.mean() };
}

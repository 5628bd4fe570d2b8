import { deriveSeed } from "../../base/index.js";
import type { TensorSplit } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import { accuracyOf, type Counts } from "../../trials/answers.js";
import type { Accuracy } from "../../trials/interval.js";
import { type Player, playerOf } from "../../trials/players.js";
import { attackOf, clean, type Trial, trialLabel } from "../../trials/trial.js";
import type { TrialResult } from "../../trials/trial-result.js";
import { worstEveryDrawOf, worstOf, worstVoteOf } from "../../trials/worst-of.js";
import type { AuditPlan, AuditResults, Finding } from "./check.js";
import { checks } from "./checks/index.js";
import { type ConvergenceCurve, convergenceOf } from "./convergence-curves.js";
import { type Curve, curvesOf } from "./curves.js";
import { traceOf } from "./trace.js";
import { type Verdict, verdictOf } from "./verdict.js";

/** Images that checks look at by themselves, beside all trials. */
const sampleImages = 100;

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
  /** Accuracy against epsilon, a curve for each attack. */
  readonly curves: readonly Curve[];
  /** Accuracy against steps, restarts and draws. */
  readonly convergence: readonly ConvergenceCurve[];
  /** Mean loss of a few images at each step of the standard attack; none where it met logits or gradients that are not finite. */
  readonly losses: readonly number[];
  /** For each image the trial in the ball that did it most harm; its label. */
  readonly brokenBy: readonly string[];
}

/** Whether a trial's images lie in the ball of the claim and were shown to the audited network. */
function inBall({ norm, epsilon }: AuditPlan, trial: Trial): boolean {
  if (trial.shownTo !== "network") return false;
  const attack = attackOf(trial);
  if (attack === undefined) return true;
  const { traits } = attack;
  return traits.norm === norm && traits.radius !== undefined && traits.radius <= epsilon * (1 + 1e-9);
}

/** An accuracy of a plan's network with its interval, which `name` tells from others. */
export function accuracyIn(
  { subject, seed }: AuditPlan,
  answers: Counts,
  name: string,
  of: Player = "network",
): Accuracy {
  return accuracyOf(answers, playerOf(subject, of).randomized, deriveSeed(seed, "interval", name));
}

/** What the outcomes of all of a plan's trials come to. */
export function conclude(plan: AuditPlan, trials: readonly TrialResult[], data: TensorSplit): Audit {
  const of = (trial: Trial): TrialResult => {
    const label = trialLabel(trial);
    const result = trials.find((one) => one.label === label);
    if (result === undefined) throw new Error(`trial ${label} was not run`);
    return result;
  };
  const within = trials.filter(({ trial }) => inBall(plan, trial));
  const gradientTrials = within.filter(({ trial }) => trial.whiteBox || trial.attack === "none");
  const { randomized, classes } = plan.subject.model;
  const rowsOf = (some: readonly TrialResult[]) => some.map(({ answers }) => answers);
  const sample = data.range(0, sampleImages);
  const trace = traceOf(plan, sample);
  const results: AuditResults = {
    of,
    clean: of(clean).answers,
    byGradients: worstOf(rowsOf(gradientTrials), randomized),
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
    curves: curvesOf(plan, results),
    convergence: convergenceOf(plan, results),
    losses: trace.stop === undefined ? trace.losses : [],
    brokenBy: Array.from({ length: data.count }, (_, image) => mostHarmful(within, image)),
  };
}

/** The label of the trial under which an image was least often answered correctly; the first of several. */
function mostHarmful(within: readonly TrialResult[], image: number): string {
  const share = ({ answers }: TrialResult) => answers.correct[image]! / answers.draws;
  return within.reduce((worst, result) => (share(result) < share(worst) ? result : worst)).label;
}

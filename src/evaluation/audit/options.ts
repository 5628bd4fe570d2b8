import { type Attack, type AttackText, attacks, pgd } from "../../attacks/index.js";
import {
  checkFolder,
  checkKind,
  checkNumber,
  checkOptionNames,
  checkSeed,
  isObject,
  unknownName,
} from "../../base/index.js";
import { formatRatio, parseOptions } from "../../options/index.js";
import { type Attackable, type TrialStore, trialOn } from "../../trials/index.js";
import { checkShare } from "../expected-clean.js";
import { type Budget, type BudgetName, batchImages, budgetNames, budgetOptions, budgets } from "./budget.js";
import { checkComparable } from "./criterion/baseline.js";
import { parseRequirements, type Requirement } from "./criterion/requirement.js";
import type { AuditPlan } from "./plan.js";
import { checkProvenance, type Provenance } from "./provenance.js";
import { auditOf } from "./report/read.js";
import type { AuditJson } from "./report/schema/audit.js";
import { usualResolution } from "./verdict/resolution.js";

/** Options of an audit; the checked ones are `AuditSettings`. */
export interface AuditOptions {
  /** Radius of the ball that the model claims to be robust in; that of the claim where left out. */
  readonly epsilon?: number | undefined;
  /** Norm of the ball; that of the claim where left out, else l-infinity. */
  readonly norm?: "linf" | "l2" | undefined;
  /**
   * Attack that a claimed accuracy was measured by. Where left out nobody claims anything, and PGD of 40
   * steps is the reference.
   */
  readonly claim?: Attack | AttackText | (string & {}) | undefined;
  /** Effort: `quick`, `standard` (the default), `full`, or a budget of your own. */
  readonly budget?: BudgetName | Budget | undefined;
  /** Number of images, the first ones; the budget's where left out, or as many as there are. */
  readonly limit?: number | undefined;
  /** Seed of all noise, 0 by default. */
  readonly seed?: number | undefined;
  /** `cpu`, `cuda` or `cuda:N`: where the model is moved for the time; where it stands by default. */
  readonly device?: string | undefined;
  /** Clean accuracy that is known, such as 0.76: another one ends the audit with the usual causes. */
  readonly expectClean?: number | undefined;
  /** Other models, by names of your own, whose adversarial images the model is shown. */
  readonly transfers?: Readonly<Record<string, Attackable>> | undefined;
  /**
   * Folder in which a folder for this audit keeps its trials, named by all that decides their numbers. A
   * stopped audit continues from there. In memory where left out.
   */
  readonly folder?: string | undefined;
  /**
   * Criterion such as `worst >= 0.40`, or several joined by `and`. It is written down before the first
   * attack, and the report's `outcome` tells whether it is met.
   */
  readonly require?: string | undefined;
  /** Content of an earlier audit.json: a significant regression on the same images fails. */
  readonly baseline?: object | undefined;
  /**
   * Points of accuracy: where differences above it can go unseen, an audit that finds no fault is
   * inconclusive. In (0, 100], 5 by default.
   */
  readonly resolution?: number | undefined;
  /** Facts for the report that only the caller knows, such as the model's file. */
  readonly provenance?: Provenance | undefined;
  /** Writes TensorBoard's event files into `tb`, in the audit's folder if there is one; true by default. */
  readonly tensorboard?: boolean | undefined;
  /** Keeps the trials, in place of a folder: those of one model, its images and a seed. */
  readonly store?: TrialStore | undefined;
  /** Stops the audit before the next pass. */
  readonly signal?: AbortSignal | undefined;
  /** Images attacked together, 50 by default; results do not depend on it. */
  readonly batchSize?: number | undefined;
}

const known = [
  ...["epsilon", "norm", "claim", "budget", "limit", "seed", "device"],
  ...["expectClean", "transfers", "folder", "store", "signal", "batchSize"],
  ...["require", "baseline", "resolution", "provenance", "tensorboard"],
];

/** Options of an audit, checked. */
export interface AuditSettings extends Pick<AuditPlan, "norm" | "epsilon" | "claim" | "budget"> {
  /** Name of the budget; "own" for a budget of the user's own. */
  readonly budgetName: string;
  readonly seed: number;
  readonly batchSize: number;
  /** Tells whether the user gave the claim. */
  readonly claimed: boolean;
  readonly require: string | undefined;
  readonly requirements: readonly Requirement[];
  readonly baseline: AuditJson | undefined;
  readonly resolution: number;
  readonly provenance: Provenance;
}

/** Steps of the claimed attack where no claim is given. */
const claimSteps = 40;

/** Checks options. TypeError or RangeError names the option that does not fit, or contradicts another. */
export function auditSettings(options: AuditOptions): AuditSettings {
  checkKind("options", options, "an object such as { epsilon: 8 / 255 }", isObject(options));
  checkOptionNames(options, known);
  const { seed = 0, batchSize = batchImages, folder, store, transfers = {} } = options;
  checkSeed(seed);
  checkShare(options.expectClean);
  checkNumber("batchSize", batchSize, "a whole number >= 1", Number.isInteger(batchSize) && batchSize >= 1);
  checkKind("transfers", transfers, "an object such as { other: model }", isObject(transfers));
  if (folder !== undefined) checkFolder("folder", folder);
  if (folder !== undefined && store !== undefined) throw new RangeError("give a folder or a store, not both");
  const claimed = options.claim === undefined ? undefined : attacks.of(options.claim, "claim");
  const ball = ballOf(options, claimed);
  const claim = claimed ?? pgd({ ...ball, steps: claimSteps });
  return {
    ...ball,
    claim: trialOn(claim),
    ...budgetOf(options.budget),
    seed,
    batchSize,
    claimed: claimed !== undefined,
    ...judgedBy(options, ball),
    provenance: checkProvenance(options.provenance),
  };
}

/** Parts of the options that the findings are judged by. */
function judgedBy(
  { require, baseline, resolution = usualResolution, tensorboard = true }: AuditOptions,
  ball: Pick<AuditPlan, "norm" | "epsilon">,
): Pick<AuditSettings, "require" | "requirements" | "baseline" | "resolution"> {
  const isResolution = Number.isFinite(resolution) && resolution > 0 && resolution <= 100;
  checkNumber("resolution", resolution, "a number in (0, 100], in points of accuracy", isResolution);
  checkKind("tensorboard", tensorboard, "true or false", typeof tensorboard === "boolean");
  const requirements = require === undefined ? [] : parseRequirements(require);
  const earlier = baseline === undefined ? undefined : auditOf(baseline, "baseline");
  if (earlier !== undefined) checkComparable(earlier, ball);
  return { require, requirements, baseline: earlier, resolution };
}

const norms = ["linf", "l2"] as const;

function ballOf(
  { epsilon, norm }: AuditOptions,
  claim: Attack | undefined,
): Pick<AuditPlan, "norm" | "epsilon"> {
  if (norm !== undefined && !norms.includes(norm)) throw unknownName("norm", norm, norms);
  const ball = { norm: norm ?? claim?.traits.norm ?? "linf", epsilon: epsilon ?? claim?.traits.radius };
  if (claim !== undefined) checkClaim(claim, ball);
  const radius = ball.epsilon;
  if (typeof radius !== "number") {
    throw new TypeError(
      `epsilon must be a radius such as 8 / 255, not ${String(radius)}; or give a claim with a radius`,
    );
  }
  const most = ball.norm === "linf" ? 1 : Number.MAX_VALUE;
  const accepted = ball.norm === "linf" ? "in (0, 1]; gray levels are written 8 / 255" : "above 0";
  if (!(radius > 0 && radius <= most)) throw new RangeError(`epsilon: ${radius} is not ${accepted}`);
  return { norm: ball.norm as "linf" | "l2", epsilon: radius };
}

/** RangeError where a claim is of another norm or radius than the ball. */
function checkClaim(claim: Attack, { norm, epsilon }: { norm: string; epsilon: number | undefined }): void {
  const { norm: own, radius } = claim.traits;
  if (own === "none" || radius === undefined) {
    throw new RangeError(
      `claim ${claim} has no radius: claim an attack within a ball, such as pgd or within(...)`,
    );
  }
  if (!norms.some((name) => name === own)) {
    throw new RangeError(`claim ${claim} is of norm ${own}; audits know ${norms.join(" and ")}`);
  }
  if (own !== norm)
    throw new RangeError(`claim ${claim} is of norm ${own}, not ${norm}: leave out norm, or change it`);
  if (epsilon === undefined || Math.abs(radius - epsilon) <= 1e-9 * epsilon) return;
  throw new RangeError(
    `claim ${claim} attacks within ${formatRatio(radius)}, and epsilon is ${formatRatio(epsilon)}: give ` +
      "both one radius, or leave out epsilon",
  );
}

function budgetOf(given: AuditOptions["budget"] = "standard"): Pick<AuditSettings, "budget" | "budgetName"> {
  if (typeof given === "string") {
    if (!Object.hasOwn(budgets, given)) throw unknownName("budget", given, budgetNames);
    return { budget: budgets[given], budgetName: given };
  }
  return { budget: parseOptions("audit", "budget", budgetOptions, given), budgetName: "own" };
}

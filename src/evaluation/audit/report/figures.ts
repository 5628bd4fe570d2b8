import { numberedClasses } from "../../../models/index.js";
import { type Accuracy, wilson } from "../../../trials/index.js";
import { fixedSeedTrials } from "../checks/randomness/fixed-seed.js";
import { perClassOf, perClassWorst } from "../evidence/per-class.js";
import type { AuditPlan } from "../plan.js";
import type { ReportData } from "./data.js";
import type { AuditJson } from "./schema/audit.js";

/** Figures of a report beside those of its conclusion. */
export interface MoreFigures {
  /** Mean over the budget's fixed seeds; undefined where there are none, or one is missing. */
  readonly fixedSeed: Accuracy | undefined;
  readonly perClass: AuditJson["evidence"]["perClass"];
  /** Undefined where a class has no image. */
  readonly perClassWorst: Accuracy | undefined;
}

/**
 * Accuracy where the noise is known: the mean over the budget's seeds, with Wilson's interval on images.
 * Trials of a user's own checks take no part. Undefined where a seed's attack ended in an error.
 */
export function fixedSeedOf(
  plan: AuditPlan,
  { trials, images }: Pick<ReportData["conclusion"], "trials" | "images">,
): Accuracy | undefined {
  const wanted = new Set(fixedSeedTrials(plan).map(({ id }) => id));
  const known = trials.filter(({ trial }) => wanted.has(trial.id));
  if (known.length === 0 || known.length < wanted.size) return undefined;
  const mean = known.reduce((sum, { answers }) => sum + answers.mean(), 0) / known.length;
  return wilson(Math.min(images, mean * images), images);
}

/** Figures of a report beside those of its conclusion. */
export function figuresOf(data: ReportData): MoreFigures {
  const { conclusion, worst, subject, plan } = data;
  const { classes } = plan.players.model;
  const names = subject.split.classNames ?? [];
  const named = names.length === classes ? names : numberedClasses(classes);
  const labels = worst.map(({ label }) => label);
  const perClass = perClassOf(labels, named, conclusion.counts);
  return { fixedSeed: fixedSeedOf(plan, conclusion), perClass, perClassWorst: perClassWorst(perClass) };
}

import { numberedClasses } from "../../../models/index.js";
import { type Accuracy, wilson } from "../../../trials/index.js";
import { perClassOf, perClassWorst } from "../evidence/per-class.js";
import type { ReportData } from "./data.js";
import type { AuditJson } from "./schema/audit.js";

/** Figures of a report beside those of its conclusion. */
export interface MoreFigures {
  /** Mean over the fixed seeds; undefined where none was attacked. */
  readonly fixedSeed: Accuracy | undefined;
  readonly perClass: AuditJson["evidence"]["perClass"];
  /** Undefined where a class has no image. */
  readonly perClassWorst: Accuracy | undefined;
}

/** Accuracy where the noise is known: the mean over the seeds, with Wilson's interval on images. */
function fixedSeedOf({ conclusion: { trials, images } }: ReportData): Accuracy | undefined {
  const known = trials.filter(({ trial }) => trial.shownTo.startsWith("fixed-seed:"));
  if (known.length === 0) return undefined;
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
  return { fixedSeed: fixedSeedOf(data), perClass, perClassWorst: perClassWorst(perClass) };
}

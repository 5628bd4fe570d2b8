import type { Accuracy } from "../../../trials/index.js";
import { compared } from "../criterion/baseline.js";
import { outcomeOf } from "../criterion/outcome.js";
import type { Figure } from "../criterion/requirement.js";
import { manifestSha256 } from "../evidence/data-facts.js";
import { methodOfFigure } from "../evidence/interval-methods.js";
import { perClassMethod } from "../evidence/per-class.js";
import { drawsOf, type ReportData } from "./data.js";
import { figuresOf } from "./figures.js";
import type { AuditJson } from "./schema/audit.js";

/** Outcome of an audit against a criterion and an earlier audit; null where neither was given. */
export function judgedOutcome(data: ReportData, perImage: AuditJson["perImage"]): AuditJson["outcome"] {
  const { conclusion, criteria, subject, worst, plan } = data;
  const { baseline } = subject.settings;
  if (criteria.criterion === undefined && baseline === undefined) return null;
  const { fixedSeed, perClassWorst } = figuresOf(data);
  const methodOf = (figure: Figure) => methodOfFigure(figure, plan.players.model.randomized, perClassMethod);
  const figures: Partial<Record<Figure, Accuracy | undefined>> = {
    clean: conclusion.clean,
    claim: conclusion.claim,
    worst: conclusion.worst,
    "per-class worst": perClassWorst,
    majority: conclusion.majority,
    "every-draw": conclusion.everyDraw,
    "fixed-seed": fixedSeed,
  };
  const known = Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
  const comparison =
    baseline &&
    compared(baseline, {
      images: perImage.map(({ sha256, correct }) => ({ sha256, ...correct })),
      draws: drawsOf(data),
      budget: plan.budget,
      dataSha256: manifestSha256(worst),
      resolution: subject.settings.resolution,
      verdict: conclusion.verdict.name,
      errors: conclusion.errors,
    });
  const { verdict, images, errors } = conclusion;
  const findings = { verdict: verdict.name, images, errors, figures: known };
  const outcome = outcomeOf(findings, { ...criteria, baseline: comparison });
  const requirements = outcome.requirements.map(({ value, ...one }) => ({
    ...one,
    value: value && { ...value, method: methodOf(one.figure) },
  }));
  // Plain copies: what was read as JSON and what was made here have one form.
  return JSON.parse(JSON.stringify({ ...outcome, requirements })) as AuditJson["outcome"];
}

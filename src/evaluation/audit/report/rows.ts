import type { Value } from "../../../options/index.js";
import { majorityOf, trialLabels } from "../../../trials/index.js";
import { minimalAttacks, radiusAttacks } from "../curves/curve-attacks.js";
import type { ReportData } from "./data.js";
import type { AuditJson } from "./schema/audit.js";

/** Options of an attack as JSON, defaults too; `inside` has the attacks that it is made of. */
function optionsOf({ options, inside }: Value): Record<string, unknown> {
  const parts = inside.map((one) => ({ attack: one.name, options: optionsOf(one) }));
  // JSON has no infinite numbers.
  const plain = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  const all = parts.length === 0 ? options : { ...options, inside: parts };
  return JSON.parse(JSON.stringify(all, plain));
}

/** Every trial of an audit as its JSON has it. */
export function trialRows({ conclusion: { trials }, plan }: ReportData): AuditJson["trials"] {
  const labels = trialLabels(trials.map(({ trial }) => trial));
  const onCurves = new Set(
    [
      ...radiusAttacks(plan).map(({ at }) => at(plan.epsilon)),
      ...minimalAttacks(plan).map(({ within }) => within),
      plan.claim,
    ].map(({ id }) => id),
  );
  return trials.map(({ trial, answers, norm, passes, seconds, stops }, i) => ({
    trial: trial.id,
    label: labels[i]!,
    attack: trial.attack === undefined ? null : String(trial.attack),
    options: trial.attack === undefined ? null : optionsOf(trial.attack),
    attacked: trial.on,
    shownTo: trial.shownTo,
    by: trial.attack === undefined ? "clean" : trial.whiteBox ? "gradients" : "others",
    radius: trial.attack?.traits.radius ?? null,
    norm,
    onCurve: onCurves.has(trial.id),
    accuracy: answers.mean(),
    majority: majorityOf(answers).accuracy,
    draws: answers.draws,
    passes: { ...passes },
    seconds,
    ...(stops.length === 0 ? {} : { stoppedBy: stops[0]!.message }),
  }));
}

/** Every image of an audit as its JSON has it. */
export function perImageOf({ conclusion, worst }: ReportData): AuditJson["perImage"] {
  const [clean, worstCase] = [conclusion.counts.clean, conclusion.counts.worst].map((counts) =>
    counts.shares(),
  );
  return worst.map((image) => {
    const { position, sha256, label, predicted, correct, correctRounded } = image;
    const { trial, ...result } = image.trial;
    return {
      position,
      sha256,
      label,
      predicted,
      brokenBy: correct < 1 ? trial.id : null,
      norm: result.norm,
      length: result.lengths[position]!,
      passes: { ...result.passes },
      successRate: 1 - correct,
      successRateRounded: 1 - correctRounded,
      correct: { clean: clean![position]!, worst: worstCase![position]! },
    };
  });
}

import { versions } from "../../../engine/index.js";
import { majorityOf } from "../../../trials/index.js";
import { roundingSurvivors } from "../worst-images.js";
import type { ReportData } from "./data.js";

/** An audit's findings as JSON. */
export function reportJson({ conclusion, plan, worst, subject, id }: ReportData): object {
  const { settings, opened, transfers, split } = subject;
  const { libtorch, cpuCapability, kernels } = versions();
  const { majority, everyDraw } = conclusion;
  return {
    model: opened.name,
    defenses: (opened.model?.defenses ?? []).map(String),
    ...(opened.model?.notes === undefined ? {} : { notes: opened.model.notes }),
    data: split.name,
    id,
    seed: settings.seed,
    batchSize: settings.batchSize,
    transfers: Object.keys(transfers),
    verdict: conclusion.verdict,
    norm: plan.norm,
    epsilon: plan.epsilon,
    claimedBy: String(plan.claim.attack),
    budget: plan.budget,
    images: conclusion.images,
    clean: conclusion.clean,
    claim: conclusion.claim,
    worst: conclusion.worst,
    ...(majority === undefined ? {} : { worstMajority: majority, worstEveryDraw: everyDraw }),
    survivesRounding: roundingSurvivors(worst),
    checklist: conclusion.lines,
    curves: conclusion.curves,
    convergence: conclusion.convergence,
    trials: conclusion.trials.map(({ trial, answers, passes, seconds, stops }) => ({
      trial: trial.id,
      attack: trial.attack ?? null,
      attacked: trial.on,
      shownTo: trial.shownTo,
      accuracy: answers.mean(),
      majority: majorityOf(answers).accuracy,
      draws: answers.draws,
      passes,
      seconds,
      ...(stops.length === 0 ? {} : { stoppedBy: stops[0]!.message }),
    })),
    failed: conclusion.failed.map(({ trial, error }) => ({ trial: trial.id, error: error.message })),
    perImage: worst.map(({ position, label, trial: { trial, ...result }, correct, correctRounded }) => ({
      position,
      label,
      brokenBy: correct < 1 ? trial.id : null,
      norm: result.norm,
      length: result.lengths[position],
      passes: result.passes,
      successRate: 1 - correct,
      successRateRounded: 1 - correctRounded,
    })),
    measuredOn: { device: opened.device, libtorch, cpuCapability, kernels, node: process.version },
  };
}

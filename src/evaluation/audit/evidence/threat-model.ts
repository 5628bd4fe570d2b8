import { countText } from "../../../base/index.js";
import type { Model } from "../../../models/index.js";
import { formatRatio } from "../../../options/index.js";
import type { AuditPlan } from "../plan.js";
import type { AuditJson } from "../report/schema/audit.js";
import { methodFor } from "./interval-methods.js";
import { deviationsOf } from "./preprocessing.js";

type Evidence = AuditJson["evidence"];

/** The threat model in the words of NIST AI 100-2: goal, knowledge, capability, stage of the life cycle. */
export function threatModelOf(
  { norm, epsilon, players, claim, budget }: AuditPlan,
  model: Model | undefined,
  survives8Bit: number | null,
): Evidence["threatModel"] {
  const { randomized } = players.model;
  const deviations = deviationsOf(model);
  const { target = "none" } = claim.attack?.traits ?? {};
  const aimed = target === "none" ? "" : "; the claimed attack aims for a class";
  const noise = randomized
    ? `; noise of answers is fresh and unknown, but for ${countText(budget.seeds, "fixed seed")}`
    : "";
  const queries = countText(budget.queries, "query", "queries");
  return {
    goal: `evasion, untargeted: any wrong class counts${aimed}`,
    knowledge:
      `white-box: weights, gradients and defenses are known${noise}; ` +
      `besides, attacks that see scores alone (${queries}) or labels alone`,
    capability: `${norm} perturbation of at most ${formatRatio(epsilon)} of pixels in [0, 1]`,
    stage: "deployment: images are changed after training",
    epsilonText: formatRatio(epsilon),
    epsilonNormalized:
      deviations === undefined || norm !== "linf" ? null : deviations.map((std) => epsilon / Math.abs(std)),
    survives8Bit,
  };
}

/** Sentences on the noise of a model and the seeds of an audit. */
export function randomnessOf({ players, budget }: AuditPlan, seed: number, draws: number): string[] {
  const seeds = `seed ${seed}: every noise of attacks, answers and intervals follows from it`;
  if (!players.model.randomized) return ["the model is deterministic: one answer an image", seeds];
  const known =
    budget.seeds === 0
      ? "no fixed seed was attacked"
      : `${countText(budget.seeds, "fixed seed was", "fixed seeds were")} attacked`;
  return [
    `accuracy is that of one fresh draw, the mean over ${draws} draws that no attack saw`,
    `votes are of half the draws, the other half of which chose the attack`,
    `"every draw" is correct in each of ${draws} draws: an attacker who may ask as often`,
    `known noise: ${known}`,
    seeds,
  ];
}

/** Sentences on what an audit did not test. */
export function notTestedOf({ norm, players, budget }: AuditPlan, selfTest: Evidence["selfTest"]): string[] {
  const transfers = Object.keys(players.transfers ?? {}).length;
  return [
    `perturbations bounded in norms other than ${norm}, and other radii than those of the curves`,
    ...(budget.angles === undefined ? ["rotations and shifts"] : []),
    "patches, changes of shape, color and weather, common corruptions",
    "physical attacks, which pass through a camera",
    "poisoned training data, backdoors, and the theft of weights or data",
    ...(transfers === 0 ? ["adversarial images made on other models than its surrogates"] : []),
    "images of another distribution than those audited",
    ...(selfTest.result?.sameEnvironment === true
      ? []
      : ["the audit itself in this environment: sqa audit --self-test does"]),
  ];
}

/** Sentences on the statistics of a report. */
export function statisticsOf(randomized: boolean): string[] {
  return [
    `intervals are of 95 %, over images; ${methodFor(randomized)}`,
    "a check that compares several attacks is corrected for their number (Bonferroni); checks are not " +
      "corrected for each other",
    `differences of attacks are paired by image: an interval (Agresti and Min 2005) and ${
      randomized ? "the number of images that differ" : "the exact sign test (McNemar)"
    } must both agree`,
    "of a deterministic model the worst case is exact for these images, and an upper bound for the truth: " +
      "stronger attacks can only lower it",
  ];
}

import { type Player, type Trial, trialOf } from "../../../../trials/index.js";
import { suite } from "../../attacks.js";
import { isAbove, percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { unlessTooWeak } from "../too-weak.js";

function onSeed(plan: AuditPlan, seed: number): Trial {
  const player: Player = `fixed-seed:${seed}`;
  return trialOf({ attack: suite(plan, "standard"), on: player, shownTo: player });
}

/** Trials on a randomized model's fixed seeds, as many as the budget has; none for a deterministic one. */
export function fixedSeedTrials(plan: AuditPlan): Trial[] {
  if (!plan.players.model.randomized) return [];
  return Array.from({ length: plan.budget.seeds }, (_, seed) => onSeed(plan, seed));
}

/** With its seed fixed and known, the model is a deterministic one, which must not be harder to fool. */
export const fixedSeed = defineCheck("fixed-seed", {
  question: "Does the attack succeed where the noise is fixed and known?",
  source: "Carlini et al. 2019, section 4.2; Liu et al. 2024",
  group: "randomness",
  trials: fixedSeedTrials,
  judge(plan, { of, worst, clean }) {
    if (!plan.players.model.randomized) return { outcome: "skipped", evidence: "the model is deterministic" };
    if (plan.budget.seeds === 0) return { outcome: "skipped", evidence: "the budget attacks no fixed seed" };
    const found = fixedSeedTrials(plan).map((trial) => of(trial).answers);
    const evidence =
      `accuracy ${found.map(percentOf).join(", ")} under AutoAttack on a fixed seed, ` +
      `${percentOf(worst)} in the worst case on fresh draws`;
    // Each of them must be harder: no correction for their number is due.
    const harder = found.every((answers) => isAbove(answers, worst, 5));
    return unlessTooWeak({ outcome: harder ? "masked" : "passed", evidence }, clean, found);
  },
});

import type { Player } from "../../../trials/players.js";
import { type Trial, whiteBox } from "../../../trials/trial.js";
import { averagedText, suiteText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAbove, isAboveAny, percentOf } from "../difference.js";

const isRandomized = ({ subject }: AuditPlan) => subject.model.randomized;
const deterministic = { outcome: "skipped", evidence: "the network is deterministic" } as const;

/** Points that averaged gradients may take before single ones count as hidden by noise. */
const hidden = 5;

const averaged = (plan: AuditPlan, draws: number, mean: "loss" | "softmax"): Trial =>
  whiteBox(averagedText(plan, draws, mean));

/** Gradients averaged over draws must not find much that single ones miss. */
export const expectationOverDraws: Check = {
  name: "expectation",
  question: "Do gradients averaged over draws find no more than single ones?",
  source: "Athalye et al. 2018, section 4.2",
  trials: (plan) =>
    isRandomized(plan)
      ? [
          averaged(plan, 1, "loss"),
          ...plan.budget.expectation
            .filter((draws) => draws > 1)
            .flatMap((draws) => [averaged(plan, draws, "loss"), averaged(plan, draws, "softmax")]),
        ]
      : [],
  judge(plan, { of }) {
    if (!isRandomized(plan)) return deterministic;
    const single = of(averaged(plan, 1, "loss")).answers;
    const several = plan.budget.expectation.filter((draws) => draws > 1);
    if (several.length === 0) return { outcome: "skipped", evidence: "the budget averages no gradients" };
    const found = several.flatMap((draws) =>
      (["loss", "softmax"] as const).map((mean) => ({ draws, mean, answers: of(averaged(plan, draws, mean)).answers })),
    );
    const evidence = [
      `1 draw leaves ${percentOf(single)}`,
      ...found.map(({ draws, mean, answers }) => `${draws} (mean ${mean}) ${percentOf(answers)}`),
    ].join(", ");
    const all = found.map(({ answers }) => answers);
    if (isAboveAny(single, all, hidden)) return { outcome: "masked", evidence };
    return { outcome: isAboveAny(single, all) ? "noted" : "passed", evidence };
  },
};

const known = (plan: AuditPlan, draw: number): Trial => {
  const player: Player = `known-draw:${draw}`;
  return { attack: suiteText(plan, "standard"), on: player, shownTo: player, whiteBox: false };
};
const knownDraws = ({ budget }: AuditPlan) => Array.from({ length: budget.seeds }, (_, draw) => draw);

/** With the noise known, the network is a deterministic one, which must not be harder to fool. */
export const knownDraw: Check = {
  name: "known-draw",
  question: "Does the attack succeed where the noise is fixed and known?",
  source: "Carlini et al. 2019, section 4.2; Liu et al. 2024",
  trials: (plan) => (isRandomized(plan) ? knownDraws(plan).map((draw) => known(plan, draw)) : []),
  judge(plan, { of, worst }) {
    if (!isRandomized(plan)) return deterministic;
    if (plan.budget.seeds === 0) return { outcome: "skipped", evidence: "the budget attacks no known draw" };
    const found = knownDraws(plan).map((draw) => of(known(plan, draw)).answers);
    const evidence = `AutoAttack on a known draw leaves ${found.map(percentOf).join(", ")}; on fresh draws all attacks ${percentOf(worst)}`;
    // Each of them must be: no correction for their number is due.
    const harder = found.every((answers) => isAbove(answers, worst, 5));
    return { outcome: harder ? "masked" : "passed", evidence };
  },
};

import type { Check } from "../../../src/evaluation/audit/checks/index.js";
import type { AuditPlan, AuditResults } from "../../../src/evaluation/audit/plan.js";
import { Answers, type Player, type Trial } from "../../../src/trials/index.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { planOf } from "./tiny-audit.js";

/** Answers of a deterministic model to 200 images, of which the last ones are wrong. */
export function leaving(correct: number): Answers {
  const answers = new Answers(200, 1);
  answers.halves[0].set(Array.from({ length: 200 }, (_, i) => (i < correct ? 1 : 0)));
  return answers;
}

/** Correct answers of 200 under trials; all of them under the others. */
export type Under = readonly (readonly [trial: Trial, correct: number])[];

/** Judgment of a check on these answers; figures that are not given are those of all images correct. */
export function judge(
  check: Check,
  under: Under,
  {
    plan = planOf(tinyCnn),
    byGradients = 200,
    notFinite = [],
    ...given
  }: { plan?: AuditPlan; byGradients?: number; notFinite?: readonly Player[] } & Partial<
    Pick<AuditResults, "again" | "sample" | "trace" | "trials">
  > = {},
) {
  const correct = new Map(under.map(([trial, count]) => [trial.id, count]));
  const known = new Set(check.trials(plan).map(({ id }) => id));
  for (const id of correct.keys()) if (!known.has(id)) throw new Error(`the check asks for no trial ${id}`);
  const of = (trial: Trial) => {
    const stops = notFinite.includes(trial.on) ? [{ what: "logits", message: "NaN", player: trial.on }] : [];
    return { trial, answers: leaving(correct.get(trial.id) ?? 200), stops };
  };
  const results = {
    of,
    clean: leaving(200),
    byGradients: leaving(byGradients),
    worst: leaving(byGradients),
    ...given,
  };
  return check.judge(plan, results as unknown as AuditResults);
}

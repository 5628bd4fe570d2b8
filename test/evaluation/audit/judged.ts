import type { AuditPlan, AuditResults, Check } from "../../../src/evaluation/audit/check.js";
import { trialLabel } from "../../../src/evaluation/audit/index.js";
import { Answers } from "../../../src/trials/answers.js";
import type { Player } from "../../../src/trials/players.js";
import type { Trial } from "../../../src/trials/trial.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { planOf } from "./tiny-audit.js";

/** Answers of a deterministic network to 200 images, of which the last ones are wrong. */
export function leaving(right: number): Answers {
  const answers = new Answers(200, 1);
  answers.halves[0].set(Array.from({ length: 200 }, (_, i) => (i < right ? 1 : 0)));
  return answers;
}

/** How many of 200 images each trial leaves, found by a part of its label; the first that fits counts. */
export type Left = readonly (readonly [part: string, right: number])[];

/** What a check makes of these answers; every trial and figure that is not given leaves all images. */
export function judge(
  check: Check,
  left: Left,
  {
    plan = planOf(tinyCnn),
    byGradients = 200,
    notFinite = [],
    ...given
  }: { plan?: AuditPlan; byGradients?: number; notFinite?: readonly Player[] } & Partial<
    Pick<AuditResults, "sample" | "trace" | "trials">
  > = {},
) {
  const of = (trial: Trial) => {
    const label = trialLabel(trial);
    const [, right] = left.find(([part]) => label.includes(part)) ?? ["", 200];
    const stops = notFinite.includes(trial.on) ? [{ what: "logits", message: "NaN", player: trial.on }] : [];
    return { trial, label, answers: leaving(right), stops };
  };
  const results = { of, clean: leaving(200), byGradients: leaving(byGradients), worst: leaving(byGradients), ...given };
  return check.judge(plan, results as unknown as AuditResults);
}

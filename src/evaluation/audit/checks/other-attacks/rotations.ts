import { rotationTranslation } from "../../../../attacks/index.js";
import { blackBox, type Trial } from "../../../../trials/index.js";
import { percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";

const grid = ({ budget: { angles } }: AuditPlan): Trial[] =>
  angles === undefined ? [] : [blackBox(rotationTranslation({ angles }))];

/**
 * A baseline beside the claim: a ball says nothing about images that are moved, and they say nothing about a
 * ball.
 */
export const rotations = defineCheck("rotations", {
  question: "How accurate is the model on turned and shifted images, which lie outside of the ball?",
  source: "Engstrom et al. 2019, section 3",
  trials: grid,
  judge(plan, { of, clean }) {
    const [trial] = grid(plan);
    if (trial === undefined) return { outcome: "skipped", evidence: "the budget moves no images" };
    const { angles, maxAngle, shifts, maxShift } = trial.attack!.options;
    const evidence =
      `clean accuracy ${percentOf(clean)}, ${percentOf(of(trial).answers)} in the worst of ` +
      `${angles} angles up to ${maxAngle} degrees with ${shifts} x ${shifts} shifts up to ` +
      `${maxShift} pixels; these are no part of the worst case or the verdict`;
    return { outcome: "noted", evidence };
  },
});

import { attackOf, blackBox, type Trial } from "../../../trials/trial.js";
import type { AuditPlan, Check } from "../check.js";
import { percentOf } from "../difference.js";

const grid = ({ budget: { angles } }: AuditPlan): Trial[] =>
  angles === undefined ? [] : [blackBox(`rotation-translation(angles=${angles})`)];

/** A baseline beside the claim: a ball says nothing of images that are moved, and they say nothing of a ball. */
export const rotations: Check = {
  name: "rotations",
  question: "How does the network fare where images are turned and shifted, which is outside of the ball?",
  source: "Engstrom et al. 2019, section 3",
  trials: grid,
  judge(plan, { of, clean }) {
    const [trial] = grid(plan);
    if (trial === undefined) return { outcome: "skipped", evidence: "the budget moves no images" };
    const { angles, maxAngle, shifts, maxShift } = attackOf(trial)!.options;
    const evidence =
      `clean ${percentOf(clean)}, the worst of ${angles} angles up to ${maxAngle} degrees with ${shifts} x ${shifts} shifts up ` +
      `to ${maxShift} pixels leaves ${percentOf(of(trial).answers)}: not in the ball, so no part of worst case or verdict`;
    return { outcome: "noted", evidence };
  },
};

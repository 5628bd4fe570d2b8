import { unconstrained as unbounded } from "../../../../attacks/index.js";
import { shareText } from "../../../../report/index.js";
import { whiteBox, wilson } from "../../../../trials/index.js";
import { standardAttack } from "../../attacks.js";
import { percentOf } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";

/** Half the pixel range: every image can become the same gray, so accuracy cannot be above chance. */
const half = (plan: AuditPlan) => whiteBox(standardAttack({ ...plan, norm: "linf" }, { epsilon: 0.5 }));
const withoutBound = () => whiteBox(unbounded());

/** Without a bound every image can become one of another class. */
export const unconstrained = defineCheck("unconstrained", {
  question: "Does accuracy fall to chance at epsilon 0.5 and to 0 without a bound?",
  source: "Carlini et al. 2019, section 4.5",
  group: "convergence",
  trials: (plan) => [half(plan), withoutBound()],
  judge(plan, { of }) {
    const [atHalf, without] = [of(half(plan)).answers, of(withoutBound()).answers];
    const { classes, randomized } = plan.players.model;
    const chance = 1 / classes;
    const evidence =
      `accuracy ${percentOf(atHalf)} at epsilon 0.5 (chance: ${shareText(chance)}), ` +
      `${percentOf(without)} without a bound`;
    // A randomized model is correct now and then by luck; a few images in a hundred may need more steps.
    const bounds = [chance + 0.05, randomized ? chance / 2 : 0.01];
    const standing = wilson(without.mean() * without.images, without.images);
    if (standing.low > bounds[1]!) return { outcome: "masked", evidence };
    return { outcome: atHalf.mean() > bounds[0]! ? "noted" : "passed", evidence };
  },
});

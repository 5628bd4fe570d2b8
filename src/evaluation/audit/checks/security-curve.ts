import { wilson } from "../../interval.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { isAbove, negligible, percentOf } from "../difference.js";
import { type Trial, whiteBox } from "../trial.js";

/** Radii of the curve, as shares of the audited one. */
const curveShares = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** The radii of the security curve: shares of the audited one, as far as the pixel range has room. */
export function curveRadii({ norm, epsilon }: Pick<AuditPlan, "norm" | "epsilon">): number[] {
  // Unrounded at 1, where the standard attack is the point: 8/255 has more digits.
  const radii = curveShares.map((share) => (share === 1 ? epsilon : Number((share * epsilon).toPrecision(6))));
  return radii.filter((radius) => norm !== "linf" || radius <= 1);
}

/** The trial of a point of the curve. */
export const curveTrial = (plan: AuditPlan, epsilon: number): Trial => whiteBox(pgdText(plan, { epsilon }));

/** Accuracy must fall as the ball grows. */
export const securityCurve: Check = {
  name: "security-curve",
  question: "Does accuracy fall with epsilon?",
  source: "Carlini et al. 2019, section 4.5",
  trials: (plan) => curveRadii(plan).map((epsilon) => curveTrial(plan, epsilon)),
  judge(plan, { of, clean }) {
    const points = curveRadii(plan).map((epsilon) => ({ epsilon, answers: of(curveTrial(plan, epsilon)).answers }));
    const evidence = [`0: ${percentOf(clean)}`, ...points.map((p) => `${p.epsilon}: ${percentOf(p.answers)}`)].join(
      ", ",
    );
    const rises = points.some(({ answers }, i) => {
      const before = i === 0 ? clean : points[i - 1]!.answers;
      return isAbove(answers, before, negligible, points.length);
    });
    return { outcome: rises ? "masked" : "passed", evidence };
  },
};

/** Half the pixel range: every image can become one gray, so no more than chance can be left. */
const half = (plan: AuditPlan) => whiteBox(pgdText({ ...plan, norm: "linf" }, { epsilon: 0.5 }));
const unbounded = whiteBox("unconstrained");

/** Without a bound every image can become one of another class. */
export const unconstrained: Check = {
  name: "unconstrained",
  question: "Does accuracy fall to chance at epsilon 0.5 and to 0 without a bound?",
  source: "Carlini et al. 2019, section 4.5",
  trials: (plan) => [half(plan), unbounded],
  judge(plan, { of }) {
    const [atHalf, without] = [of(half(plan)).answers, of(unbounded).answers];
    const chance = 1 / plan.subject.model.classes;
    const evidence = `epsilon 0.5: ${percentOf(atHalf)} (chance: ${(100 * chance).toFixed(1)} %), no bound: ${percentOf(without)}`;
    // A randomized network is right now and then by luck; a few images in a hundred may need more steps.
    const bounds = [chance + 0.05, plan.subject.model.randomized ? chance / 2 : 0.01];
    const left = wilson(without.mean() * without.images, without.images);
    if (left.low > bounds[1]!) return { outcome: "masked", evidence };
    return { outcome: atHalf.mean() > bounds[0]! ? "noted" : "passed", evidence };
  },
};

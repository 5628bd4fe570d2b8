import { wilson } from "../../../trials/interval.js";
import { whiteBox } from "../../../trials/trial.js";
import { pgdText } from "../attack-texts.js";
import type { AuditPlan, Check } from "../check.js";
import { curveRadii, minimalAttacks, radiusAttacks } from "../curve-attacks.js";
import { isAbove, negligible, percentOf } from "../difference.js";

/**
 * Accuracy under attacks of many steps by gradients must fall as the ball grows. The other curves are shown and not judged: a
 * single step overshoots, curves by lengths cannot rise, and the rest say nothing of gradients.
 */
export const securityCurve: Check = {
  name: "security-curve",
  question: "Does accuracy fall with epsilon?",
  source: "Carlini et al. 2019, section 4.5",
  trials: (plan) => [
    ...radiusAttacks(plan).flatMap(({ at }) => curveRadii(plan).map(at)),
    ...minimalAttacks(plan).map(({ within }) => within),
  ],
  judge(plan, { of, clean }) {
    const radii = curveRadii(plan);
    const judged = radiusAttacks(plan).filter(({ mustFall }) => mustFall);
    const curves = judged.map(({ name, at }) => ({ name, points: radii.map((epsilon) => of(at(epsilon)).answers) }));
    const evidence = curves.map(({ name, points }) => {
      const texts = points.map((answers, i) => `${radii[i]}: ${percentOf(answers)}`);
      return `${name} ${[`0: ${percentOf(clean)}`, ...texts].join(", ")}`;
    });
    const rises = curves.some(({ points }) =>
      points.some((answers, i) => isAbove(answers, points[i - 1] ?? clean, negligible, curves.length * radii.length)),
    );
    return { outcome: rises ? "masked" : "passed", evidence: evidence.join("; ") };
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

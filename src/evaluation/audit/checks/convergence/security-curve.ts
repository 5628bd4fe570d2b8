import { formatRatio } from "../../../../options/index.js";
import type { Counts } from "../../../../trials/index.js";
import { curveRadii, minimalAttacks, radiusAttacks } from "../../curves/curve-attacks.js";
import { falls, isAbove, negligible, percentOf } from "../../difference.js";
import { defineCheck } from "../check.js";

/**
 * Accuracy under attacks of many steps by gradients must fall as the ball grows. The other curves are shown
 * and not judged: a single step overshoots, curves by lengths rise by noise alone, and the rest say nothing
 * about gradients.
 *
 * A curve that stays flat up to the largest radius passes nothing: its attack is too weak there to tell
 * anything.
 */
export const securityCurve = defineCheck("security-curve", {
  question: "Does accuracy fall with epsilon?",
  source: "Carlini et al. 2019, section 4.5",
  group: "convergence",
  trials: (plan) => [
    ...radiusAttacks(plan).flatMap(({ at }) => curveRadii(plan).map(at)),
    ...minimalAttacks(plan).map(({ within }) => within),
  ],
  judge(plan, { of, clean }) {
    const radii = curveRadii(plan);
    const judged = radiusAttacks(plan).filter(({ mustFall }) => mustFall);
    const curves = judged.map(({ name, at }) => ({
      name,
      points: radii.map((epsilon) => of(at(epsilon)).answers),
    }));
    const texts = curves.map(({ name, points }) => {
      const rows = points.map((answers, i) => `${percentOf(answers)} at ${formatRatio(radii[i]!)}`);
      return `${name}: ${[`${percentOf(clean)} at 0`, ...rows].join(", ")}`;
    });
    const evidence = texts.join("; ");
    const rises = curves.some(({ points }) =>
      points.some((answers, i) =>
        isAbove(answers, points[i - 1] ?? clean, negligible, curves.length * radii.length),
      ),
    );
    if (rises) return { outcome: "masked", evidence };
    // An accuracy of chance has no way to fall.
    const chance = 1 / plan.players.model.classes;
    const isFlat = (last: Counts) => last.mean() > chance && !falls(clean, last, 0);
    const flat = curves.filter(({ points }) => isFlat(points.at(-1)!)).map(({ name }) => name);
    if (flat.length === 0) return { outcome: "passed", evidence };
    const remark = `${flat.join(" and ")} does not fall: the attack is too weak to tell anything`;
    return { outcome: "noted", evidence: `${evidence}; ${remark}` };
  },
});

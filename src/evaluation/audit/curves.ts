import { deriveSeed } from "../../base/index.js";
import { accuracyOf, Counts } from "../../trials/answers.js";
import type { Accuracy } from "../../trials/interval.js";
import { attackOf } from "../../trials/trial.js";
import type { TrialResult } from "../../trials/trial-result.js";
import { worstOf } from "../../trials/worst-of.js";
import type { AuditPlan, AuditResults } from "./check.js";
import { curveRadii, minimalAttacks, radiusAttacks } from "./curve-attacks.js";

/** An accuracy of a curve: at a radius, or after so many steps, restarts or draws. */
export interface CurvePoint extends Accuracy {
  readonly at: number;
}

/** Accuracy against epsilon: a line of the security curve. */
export interface Curve {
  readonly name: string;
  /** By gradients of the network or its substitutes alone, by anything else, or each image's worst case over all trials. */
  readonly by: "gradients" | "others" | "all";
  /** Worked out of each image's length, at any radius, and not measured at each. */
  readonly fromLengths: boolean;
  readonly points: readonly CurvePoint[];
}

/** Points of a curve by lengths between 0 and the audited radius. */
const parts = 12;

/**
 * What is left at a radius where an attack's images are shown as far as they lie within it, and clean ones in place of the
 * others: for a randomized network too, whose answers to either are counted in fresh draws.
 */
export function withinRadius({ answers, lengths }: TrialResult, clean: Counts, epsilon: number): Counts {
  const left = new Counts(answers.images, answers.draws);
  // Lengths were computed in float32.
  const near = lengths.map((length) => length <= Math.fround(epsilon));
  for (const half of [0, 1] as const) {
    left.halves[half].set(near.map((shown, i) => (shown ? answers : clean).halves[half][i]!));
  }
  return left;
}

/** Each image's worst case at a radius over all trials: those of a radius as small, and those of none by their lengths. */
export function worstWithin({ norm, subject }: AuditPlan, { trials, clean }: AuditResults, epsilon: number): Counts {
  const rows = trials.flatMap((result): Counts[] => {
    if (result.trial.shownTo !== "network") return [];
    const attack = attackOf(result.trial);
    if (attack === undefined) return [result.answers];
    if (attack.traits.norm !== norm) return [];
    const { radius } = attack.traits;
    if (radius === undefined) return [withinRadius(result, clean, epsilon)];
    return radius <= epsilon * (1 + 1e-9) ? [result.answers] : [];
  });
  return worstOf(rows, subject.model.randomized);
}

/** The security curve: accuracy against epsilon under every attack that was run at several radii, or that gives them all. */
export function curvesOf(plan: AuditPlan, results: AuditResults): Curve[] {
  const { of, clean } = results;
  const { randomized } = plan.subject.model;
  const radii = curveRadii(plan);
  const farthest = radii.at(-1)!;
  const curve = (
    name: string,
    by: Curve["by"],
    fromLengths: boolean,
    at: readonly number[],
    left: (r: number) => Counts,
  ) => {
    const points = [0, ...at].map((radius) => {
      const seed = deriveSeed(plan.seed, "interval", "curve", name, radius);
      return { at: radius, ...accuracyOf(radius === 0 ? clean : left(radius), randomized, seed) };
    });
    return { name, by, fromLengths, points };
  };
  const byOf = ({ whiteBox }: { whiteBox: boolean }) => (whiteBox ? "gradients" : "others");
  const finer = Array.from({ length: 2 * parts }, (_, i) => ((i + 1) / parts) * plan.epsilon);
  return [
    ...radiusAttacks(plan).map(({ name, at }) =>
      curve(name, byOf(at(farthest)), false, radii, (radius) => of(at(radius)).answers),
    ),
    ...minimalAttacks(plan).map(({ name, free }) =>
      curve(
        name,
        byOf(free),
        true,
        // Radii have six digits.
        finer.filter((radius) => radius <= farthest * (1 + 1e-5)),
        (radius) => withinRadius(of(free), clean, radius),
      ),
    ),
    curve("worst case of all", "all", false, radii, (radius) =>
      // A randomized network answers the same images in other draws than there.
      radius === plan.epsilon ? results.worst : worstWithin(plan, results, radius),
    ),
  ];
}

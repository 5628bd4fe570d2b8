import { deriveSeed } from "../../../base/index.js";
import { type Accuracy, accuracyOf, type Counts, withinRadius, worstWithin } from "../../../trials/index.js";
import type { AuditPlan, AuditResults } from "../plan.js";
import { curveRadii, minimalAttacks, radiusAttacks } from "./curve-attacks.js";

/** Accuracy of a curve at a radius, or after so many steps, restarts or draws. */
export interface CurvePoint extends Accuracy {
  readonly at: number;
}

/** Accuracy against epsilon: one of the security curves. */
export interface Curve {
  readonly name: string;
  /**
   * By gradients of the model or its surrogates alone, by anything else, or each image's worst case over all
   * trials.
   */
  readonly by: "gradients" | "others" | "all";
  /** Computed at any radius from the length for each image, not measured at each. */
  readonly fromLengths: boolean;
  readonly points: readonly CurvePoint[];
}

/** Points of a curve by lengths between 0 and the audited radius. */
const parts = 12;

/**
 * The security curve: accuracy against epsilon under every attack that was run at several radii, or gives
 * them all.
 */
export function curvesOf(plan: AuditPlan, results: AuditResults): Curve[] {
  const { of, has, clean } = results;
  const { randomized } = plan.players.model;
  const radii = curveRadii(plan);
  const farthest = radii.at(-1)!;
  const curve = (
    name: string,
    by: Curve["by"],
    fromLengths: boolean,
    at: readonly number[],
    counts: (radius: number) => Counts,
  ) => {
    const points = [0, ...at].map((radius) => {
      const seed = deriveSeed(plan.seed, "interval", "curve", name, radius);
      return { at: radius, ...accuracyOf(radius === 0 ? clean : counts(radius), randomized, seed) };
    });
    return { name, by, fromLengths, points };
  };
  const byOf = ({ whiteBox }: { whiteBox: boolean }) => (whiteBox ? "gradients" : "others");
  const finer = Array.from({ length: 2 * parts }, (_, i) => ((i + 1) / parts) * plan.epsilon);
  const worstAt = (radius: number) =>
    worstWithin(results.trials, clean, { norm: plan.norm, radius }, randomized);
  // An attack that ended in an error has no curve.
  const measured = radiusAttacks(plan).filter(({ at }) => radii.every((radius) => has(at(radius))));
  const minimal = minimalAttacks(plan).filter(({ free }) => has(free));
  return [
    ...measured.map(({ name, at }) =>
      curve(name, byOf(at(farthest)), false, radii, (radius) => of(at(radius)).answers),
    ),
    ...minimal.map(({ name, free }) =>
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
      // A randomized model answers the same images in other draws there.
      radius === plan.epsilon ? results.worst : worstAt(radius),
    ),
  ];
}

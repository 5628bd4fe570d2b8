import * as z from "zod";
import type { Tensor } from "../../engine/index.js";
import type { Attack, AttackTraits } from "../contract/attack.js";
import { defineCombinator, runOf } from "../contract/combinator.js";
import { goalOf, goalRows, reaches } from "../contract/options.js";
import { partOf, type Run, selectionDraws, worstOf } from "../contract/selection.js";
import type { Victim } from "../contract/victim.js";
import { perturbationLengths } from "../geometry/norms.js";
import { Closest, type ClosestRun, closestOf } from "../minimum-norm/closest.js";

/**
 * Joins the traits of attacks of one norm: the widest radius, and the target if they share it. RangeError for
 * two norms.
 */
export function jointTraits(name: string, attacks: readonly Attack[]): AttackTraits {
  const traits = attacks.map((attack) => attack.traits);
  const { norm, target } = traits[0] ?? { norm: "none" };
  const other = traits.find((each) => each.norm !== norm);
  const fault = `all attacks must have one norm, given ${norm} and ${other?.norm}`;
  if (other !== undefined) throw new RangeError(`attack ${name}: ${fault}`);
  const radius = Math.max(...traits.map((each) => each.radius ?? Number.POSITIVE_INFINITY));
  return {
    norm,
    radius: Number.isFinite(radius) ? radius : undefined,
    usesGradients: traits.some((each) => each.usesGradients),
    searchesToo: traits.some((each) => each.searchesToo === true || !each.usesGradients),
    randomized: traits.some((each) => each.randomized),
    ...(target !== undefined && traits.every((each) => each.target === target) ? { target } : {}),
  };
}

/**
 * Keeps each image's best result over runs of attacks with joint traits, by their own goal. Of attacks that
 * minimize the distance, that is the closest success; of those with a radius, the worst case.
 */
export function bestOf(
  runs: readonly Run[],
  { norm, radius, target = "none" }: AttackTraits,
  victim: Victim,
  images: Tensor,
  labels: Tensor,
  draws: number,
): Tensor {
  if (runs.length === 1) return runs[0]!(partOf(victim, images, labels));
  const goal = goalOf(target, victim, images, labels);
  if (radius !== undefined || norm === "none") return worstOf(runs, victim, images, goal, draws);
  const closestRuns = runs.map(
    (run): ClosestRun =>
      (part) => {
        const found = run(part);
        const closest = new Closest(part.images);
        const success = reaches(goalRows(goal, part.rows), part.victim, found);
        closest.keep(found, perturbationLengths(found.sub(part.images), norm), success);
        return closest;
      },
  );
  return closestOf(closestRuns, victim, images, goal).images;
}

/** Worst case of each image over several attacks of one norm: `worstCase([pgd(), cwLinf()])`. */
export const worstCase = defineCombinator("worst-case", {
  summary: "several attacks of one norm, keeping each image's worst case",
  takes: "one attack or more",
  options: z.strictObject({ selectionDraws }),
  traits: (attacks) => jointTraits("worst-case", attacks),
  run(options, attacks, victim, images, labels) {
    const runs = attacks.map((attack) => runOf(attack, 0));
    const traits = jointTraits("worst-case", attacks);
    return bestOf(runs, traits, victim, images, labels, options.selectionDraws);
  },
});

import * as z from "zod";
import type { Attack, AttackTraits } from "../contract/attack.js";
import { proposalOf, selectionDraws, worstProposal } from "../contract/selection.js";
import { defineCombinator } from "./combinator.js";

/** The traits of several attacks of one norm as one: the widest radius. Throws a RangeError for attacks of two norms. */
export function jointTraits(name: string, attacks: readonly Attack[]): AttackTraits {
  const traits = attacks.map((attack) => attack.traits);
  const [first] = traits;
  const other = traits.find((trait) => trait.norm !== first!.norm);
  if (other) {
    throw new RangeError(`attack ${name}: all attacks must have one norm, given ${first!.norm} and ${other.norm}`);
  }
  const radius = Math.max(...traits.map((trait) => trait.radius ?? Number.POSITIVE_INFINITY));
  return {
    norm: first!.norm,
    radius: Number.isFinite(radius) ? radius : undefined,
    usesGradients: traits.some((trait) => trait.usesGradients),
    searchesToo: traits.some((trait) => trait.searchesToo === true || !trait.usesGradients),
    randomized: traits.some((trait) => trait.randomized),
  };
}

/** The worst case of each image over several attacks of one norm: `worstCase([pgd(), cwLinf()])`. */
export const worstCase = defineCombinator("worst-case", {
  summary: "several attacks of one norm, keeping each image's worst case",
  takes: "one attack or more",
  options: z.strictObject({ selectionDraws }),
  traits: (attacks) => jointTraits("worst-case", attacks),
  run(options, attacks, target, images, labels) {
    const runs = attacks.map((attack) => proposalOf(attack, 0));
    return worstProposal(runs, target, images, labels, options.selectionDraws);
  },
});

import * as z from "zod";
import { operators as ops, scope, type Tensor, tensor } from "../../engine/index.js";
import type { Value } from "../../options/index.js";
import type { Attack } from "../contract/attack.js";
import { defineCombinator } from "../contract/combinator.js";
import { goalOf, goalRows, radius, reaches } from "../contract/options.js";
import { partOf } from "../contract/selection.js";
import { perImage } from "../geometry/norms.js";

/** Attacks inside an attack that hold no other; itself where it holds none. */
function innermost(attack: Value): Value[] {
  return attack.inside.length === 0 ? [attack] : attack.inside.flatMap(innermost);
}

/** Throws a RangeError unless an attack, or every attack inside it, has a radius to change. */
function checkHasEpsilon(attack: Attack): void {
  const without = innermost(attack).find(({ options }) => !("epsilon" in options));
  if (without === undefined) return;
  const fault = `${without.name} has no option "epsilon" to search`;
  throw new RangeError(`attack minimal-epsilon: ${fault}; accepted: attacks that have one, such as pgd`);
}

/** Returns the same attack with another radius, and steps of the same share of it. */
export function atEpsilon(attack: Attack, epsilon: number): Attack {
  return attack.remake(({ options }) => {
    if (!("epsilon" in options)) return options;
    const scaled = (name: "stepSize" | "learningRate") => {
      const { epsilon: before, [name]: length } = options;
      const scales = typeof before === "number" && typeof length === "number";
      return scales ? { [name]: (length * epsilon) / before } : {};
    };
    return { ...options, epsilon, ...scaled("stepSize"), ...scaled("learningRate") };
  });
}

/** Search for an image's radius: the attack fails at `low` and succeeds at `high`. */
interface Search {
  readonly image: number;
  low: number;
  high: number;
}

/** Groups searches by the radius that each tries next. */
function byRadius(searches: readonly Search[]): Map<number, Search[]> {
  const groups = new Map<number, Search[]>();
  for (const search of searches) {
    const middle = (search.low + search.high) / 2;
    groups.set(middle, [...(groups.get(middle) ?? []), search]);
  }
  return groups;
}

/**
 * Attack at the smallest radius at which it succeeds, for each image by bisection: turns any attack with an
 * `epsilon` into one that minimizes it. Steps keep their share of the radius. Returns the result at that
 * radius, or the image itself where the attack fails at `maximum`. The radius is off by maximum / 2^rounds at
 * most, as far as success grows with it.
 *
 * RangeError for an attack without an `epsilon`, or one that does not accept `maximum`.
 */
export const minimalEpsilon = defineCombinator("minimal-epsilon", {
  summary: "another attack at the smallest radius at which it succeeds, by bisection for each image",
  takes: "one attack",
  options: z.strictObject({
    maximum: radius.default(1).describe("largest radius, which is tried first"),
    rounds: z.int().min(0).max(30).default(8).describe("halvings of the range of radii"),
  }),
  traits([attack], { maximum }) {
    checkHasEpsilon(attack!);
    return { ...atEpsilon(attack!, maximum).traits, radius: maximum };
  },
  run({ maximum, rounds }, [attack], victim, images, labels) {
    const goal = goalOf(attack.traits.target ?? "none", victim, images, labels);
    const kept = images.clone();
    /** Tells on which of some images the attack succeeds at a radius; keeps the results. */
    const attempt = (searches: readonly Search[], epsilon: number): boolean[] =>
      scope(() => {
        const numbers = searches.map(({ image }) => image);
        const places = tensor(numbers, [numbers.length], "int64").to({ device: images.device });
        const part = partOf(victim, images, labels, places);
        const candidates = part.victim.run(atEpsilon(attack, epsilon), part.images, part.labels);
        const success = reaches(goalRows(goal, part.rows), part.victim, candidates);
        kept.indexCopy_(0, places, ops.where(perImage(success), candidates, part.rows(kept)));
        return trueOrFalse(success);
      });
    const done = trueOrFalse(reaches(goal, victim, images));
    const all = done
      .map((_, image) => ({ image, low: 0, high: maximum }))
      .filter(({ image }) => !done[image]);
    if (all.length === 0) return kept;
    const success = attempt(all, maximum);
    const searches = all.filter((_, i) => success[i]);
    for (let round = 0; round < rounds; round++) {
      // Images with the same radius share a run.
      for (const [epsilon, group] of byRadius(searches)) {
        const found = attempt(group, epsilon);
        group.forEach((search, i) => {
          if (found[i]) search.high = epsilon;
          else search.low = epsilon;
        });
      }
    }
    return kept;
  },
});

function trueOrFalse(flags: Tensor): boolean[] {
  return flags.toNumbers().map((flag) => flag === 1);
}

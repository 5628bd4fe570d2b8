import * as z from "zod";
import { operators as ops, scope, type Tensor, tensor } from "../../engine/index.js";
import { ratio } from "../../options/ratio.js";
import { atEpsilon, checkHasEpsilon } from "../contract/at-epsilon.js";
import { perImage } from "../geometry/perturbation-length.js";
import { defineCombinator } from "./combinator.js";

/** One image's search: the attack fails at `low` and succeeds at `high`. */
interface Search {
  readonly image: number;
  low: number;
  high: number;
}

/** The searches by the radius that each tries next. */
function byRadius(searches: readonly Search[]): Map<number, Search[]> {
  const groups = new Map<number, Search[]>();
  for (const search of searches) {
    const middle = (search.low + search.high) / 2;
    groups.set(middle, [...(groups.get(middle) ?? []), search]);
  }
  return groups;
}

/**
 * The smallest radius at which an attack succeeds, for each image by bisection: turns any attack with an `epsilon` into one
 * that minimizes it. Step sizes keep their share of the radius. Returns what the attack found at that radius, or the image as
 * it was where it fails at `maximum`; the radius is off by maximum / 2^rounds at most, as far as success grows with it.
 *
 * Throws a RangeError for an attack without an `epsilon`, or one that does not accept `maximum`.
 */
export const minimalEpsilon = defineCombinator("minimal-epsilon", {
  summary: "another attack at the smallest radius at which it succeeds, by bisection for each image",
  takes: "one attack",
  options: z.strictObject({
    maximum: ratio({ above: 0 }).default(1).describe("largest radius, which is tried first"),
    rounds: z.int().min(0).default(8).describe("halvings of the range of radii"),
  }),
  traits([attack], { maximum }) {
    checkHasEpsilon("minimal-epsilon", attack!);
    return { ...atEpsilon(attack!, maximum).traits, radius: maximum };
  },
  run({ maximum, rounds }, [attack], target, images, labels) {
    const kept = images.clone();
    /** Whether the attack succeeds at a radius on each of some images; keeps what it finds. */
    const attempt = (searches: readonly Search[], epsilon: number): boolean[] =>
      scope(() => {
        const places = searches.map(({ image }) => image);
        const rows = tensor(places, [places.length], "int64");
        const [seen, some, theirs] = [target.rows(rows), images.indexSelect(0, rows), labels.indexSelect(0, rows)];
        const candidates = seen.run(atEpsilon(attack, epsilon), some, theirs);
        const success = seen.fooled(candidates, theirs);
        const before = kept.indexSelect(0, rows);
        kept.copy_(kept.indexCopy(0, rows, ops.where(perImage(success), candidates, before)));
        return trueOrFalse(success);
      });
    const wrong = trueOrFalse(target.fooled(images, labels));
    const all = wrong.map((_, image) => ({ image, low: 0, high: maximum })).filter(({ image }) => !wrong[image]);
    if (all.length === 0) return kept;
    const success = attempt(all, maximum);
    const searches = all.filter((_, i) => success[i]);
    for (let round = 0; round < rounds; round++) {
      // Images that ask for one radius share a run.
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

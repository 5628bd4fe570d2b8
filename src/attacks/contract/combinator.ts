import type * as z from "zod";
import { checkKind } from "../../base/index.js";
import type { Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import type { Combinator } from "../../options/index.js";
import {
  type Attack,
  type AttackTraits,
  type AttackWork,
  attacks,
  checkedAttack,
  checkOf,
} from "./attack.js";
import type { Run } from "./selection.js";
import type { Victim } from "./victim.js";

/** Run of an attack on a part of the images; runs of different `round` have unrelated noise. */
export function runOf(attack: Attack, round: number): Run {
  return ({ victim, images, labels }) => victim.run(attack, images, labels, { round });
}

/**
 * Defines a way to make an attack of others, written `restarts(pgd(steps=7), times=10)`. `run` gets the
 * attacks inside with its options and the victim.
 *
 * @example
 * export const twice = defineCombinator("twice", {
 *   summary: "an attack that begins again where it ended",
 *   options: z.strictObject({}),
 *   takes: "one attack",
 *   run: (_, [attack], victim, images, labels) =>
 *     victim.run(attack, victim.run(attack, images, labels, { round: 0 }), labels, { round: 1 }),
 * });
 */
export function defineCombinator<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    readonly takes: "one attack" | "one attack or more";
    /** Those of the one attack inside where left out. RangeError when the attacks do not go together. */
    traits?(attacks: readonly Attack[], options: z.output<Schema>): AttackTraits;
    /** Says why it cannot run on a classifier, apart from the attacks inside; undefined where it can. */
    fault?(options: z.output<Schema>, classifier: Classifier): string | undefined;
    run(
      options: z.output<Schema>,
      attacks: readonly [Attack, ...Attack[]],
      victim: Victim,
      images: Tensor,
      labels: Tensor,
    ): Tensor;
  },
): Combinator<Attack, Name, Schema> {
  const what = attacks.checkParts(name, definition);
  const { summary, options: schema, takes, traits, fault, run } = definition;
  checkKind(`${what}: run`, run, "a function", typeof run === "function");
  return attacks.defineCombinator(name, {
    summary,
    options: schema,
    takes,
    create(options, inside, again) {
      const [first, ...others] = inside;
      if (first === undefined || (takes === "one attack" && others.length > 0)) {
        throw new RangeError(`attack ${name}: needs ${takes} inside it, given ${inside.length}`);
      }
      const check = checkOf(name, fault && ((classifier) => fault(options, classifier)));
      const attack: AttackWork = checkedAttack(name, {
        traits: traits?.(inside, options) ?? first.traits,
        check(classifier) {
          check(classifier);
          for (const each of inside) each.check(classifier);
        },
        search: (victim, images, labels) => run(options, [first, ...others], victim, images, labels),
        remake: (change) =>
          again(
            change(attack as Attack),
            inside.map((each) => each.remake(change)),
          ),
      });
      return attack;
    },
  });
}

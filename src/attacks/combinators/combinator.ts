import type * as z from "zod";
import type { Tensor } from "../../engine/index.js";
import type { OptionValue } from "../../options/call.js";
import { parseOptions } from "../../options/schema.js";
import { checkAttacks } from "../contract/arguments.js";
import { type Attack, type AttackTraits, callable, checkedAttack } from "../contract/attack.js";
import type { Target } from "../contract/target.js";

/** What every combinator's definition tells of itself: a way to make one attack of others. */
export interface CombinatorDescription {
  readonly name: string;
  readonly options: z.ZodObject;
  readonly summary: string;
  /** The attack of attacks and options that nobody has checked yet. Throws a RangeError for what does not fit. */
  combine(attacks: readonly Attack[], options: unknown): Attack;
}

/** A combinator's definition: called with one attack or several, and options, it gives an Attack. */
export interface CombinatorDefinition<Schema extends z.ZodObject> extends CombinatorDescription {
  (inside: Attack | readonly Attack[], options?: z.input<Schema>): Attack;
  readonly options: Schema;
}

/**
 * Defines a way to make one attack of others, written `restarts(pgd(steps=7), times=10)`: one schema for its options, how
 * many attacks it takes, and `run`, which gets them with the target, as an attack's own does.
 */
export function defineCombinator<Schema extends z.ZodObject>(
  name: string,
  definition: {
    summary: string;
    options: Schema;
    takes: "one attack" | "one attack or more";
    /** Those of the one attack inside where left out. Throws a RangeError when the attacks do not go together. */
    traits?(attacks: readonly Attack[], options: z.output<Schema>): AttackTraits;
    run(
      options: z.output<Schema>,
      attacks: readonly [Attack, ...Attack[]],
      target: Target,
      images: Tensor,
      labels: Tensor,
    ): Tensor;
  },
): CombinatorDefinition<Schema> {
  const { summary, options: schema, takes } = definition;
  const combine = (attacks: readonly Attack[], given: unknown): Attack => {
    const options = parseOptions("attack", name, schema, given);
    checkAttacks(attacks, `attack ${name}: what is inside it`);
    const [first, ...others] = attacks;
    if (first === undefined || (takes === "one attack" && others.length > 0)) {
      throw new RangeError(`attack ${name}: needs ${takes} inside it, given ${attacks.length}`);
    }
    const call = { name, options: options as Record<string, OptionValue>, of: attacks.map((attack) => attack.call) };
    const traits = definition.traits?.(attacks, options) ?? first.traits;
    return checkedAttack(
      call,
      traits,
      (target, images, labels) => definition.run(options, [first, ...others], target, images, labels),
      (change) =>
        combine(
          attacks.map((attack) => attack.remake(change)),
          change(call),
        ),
    );
  };
  const create = (inside: Attack | readonly Attack[], given?: z.input<Schema>): Attack =>
    combine(typeof inside === "function" ? [inside] : inside, given ?? {});
  return callable(create, name, { options: schema, summary, combine });
}

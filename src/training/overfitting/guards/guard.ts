import type * as z from "zod";
import { checkKind, checkNumber, isObject } from "../../../base/index.js";
import { type Factory, Kind, type Value } from "../../../options/index.js";
import type { GuardRules } from "../guard-state.js";

/** Guard against catastrophic overfitting, before its options name it. */
export interface GuardWork {
  /** Rules by which it watches a run; undefined for none. */
  readonly rules: GuardRules | undefined;
}

/** Guard with its options, such as `rollBack()`. */
export interface Guard extends GuardWork, Value {
  readonly name: string;
}

/** Every guard against catastrophic overfitting: `guards.parse("roll-back(interval=100)")`. */
export const guards = new Kind<GuardWork, Guard>("guard", "roll-back", checkWork);

/** Defines a guard; `guards.register` makes it known by its name. */
export function defineGuard<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    create(options: z.output<Schema>): GuardWork;
  },
): Factory<Guard, Name, Schema> {
  return guards.define(name, definition);
}

/** Smallest value of each rule that is a whole number. */
const least = { interval: 1, signalInterval: 1, images: 1, steps: 1, limit: 0 } as const;

/** TypeError or RangeError that names the rule which a guard lacks, or which cannot be kept. */
function checkWork(what: string, work: GuardWork): void {
  const all = [...Object.keys(least), "factor"].join(", ");
  const accepted = `an object of ${all}, or undefined for no guard`;
  if (!("rules" in work)) throw new TypeError(`${what}: create must return { rules }: ${accepted}`);
  const { rules } = work;
  if (rules === undefined) return;
  checkKind(`${what}: rules`, rules, accepted, isObject(rules) && "interval" in rules);
  for (const [rule, from] of Object.entries(least)) {
    const value = rules[rule as keyof typeof least];
    const fits = Number.isSafeInteger(value) && value >= from;
    checkNumber(`${what}: ${rule}`, value, `a whole number of at least ${from}`, fits);
  }
  const { factor } = rules;
  const isShare = Number.isFinite(factor) && factor > 0 && factor < 1;
  checkNumber(`${what}: factor`, factor, "a number in (0, 1)", isShare);
}

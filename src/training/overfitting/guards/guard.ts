import type * as z from "zod";
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
export const guards = new Kind<GuardWork, Guard>("guard", "roll-back");

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

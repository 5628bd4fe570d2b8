import type * as z from "zod";
import { isObject } from "../base/index.js";
import { type Call, isCall } from "./call.js";

/**
 * Thing of a kind with its options chosen, such as `pgd({ epsilon: 8 / 255 })`. Its identity is its text: the
 * name and the options that differ from their defaults. JSON holds that text.
 */
export interface Value<Name extends string = string> {
  /** Kind that it is of, such as "attack". */
  readonly kind: string;
  readonly name: Name;
  /** Every option, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Values that it is made of; none but for combinators. */
  readonly inside: readonly Value[];
  /** Name, options that differ from their defaults, and the values inside, as data. */
  readonly call: Call;
  /**
   * SHA-256 of the user's files that define it and the values that it is made of; undefined where the package
   * does. What is kept for it goes by this beside the text.
   */
  readonly code: string | undefined;
  /** Identity as text, which the kind's `parse` reads back: `pgd(epsilon=8/255)`. */
  toString(): string;
  toJSON(): string;
}

/** Tells whether something is a value of any kind. */
export function isValue(given: unknown): given is Value {
  const some = (isObject(given) || typeof given === "function") && "kind" in given && "call" in given;
  return some && typeof given.kind === "string" && isCall(given.call);
}

/** Description of a thing of a kind: its options, and how a value is made of them. */
export interface Definition<V extends Value = Value> {
  readonly kind: string;
  readonly name: string;
  /** One line for lists and help. */
  readonly summary: string;
  readonly options: z.ZodObject;
  /** Values that it is made of, such as "one attack"; undefined for none. */
  readonly takes?: string | undefined;
  /**
   * Makes a value of options that nobody has checked, and of the values inside. RangeError names the fault.
   */
  make(options: unknown, inside?: readonly (V | string)[]): V;
}

/**
 * Definition that is called with options to make a value: `pgd({ steps: 7 })`. `Input` is the type of the
 * options; in the published declarations it tells what each means.
 */
export interface Factory<
  V extends Value,
  Name extends string,
  Schema extends z.ZodObject,
  Input = z.input<Schema>,
> extends Definition<V> {
  (options?: Input): V & Value<Name>;
  readonly name: Name;
  readonly options: Schema;
}

/** Factory whose values are made of others of the kind: `restarts(pgd(), { times: 10 })`. */
export interface Combinator<
  V extends Value,
  Name extends string,
  Schema extends z.ZodObject,
  Input = z.input<Schema>,
> extends Definition<V> {
  (inside: V | string | readonly (V | string)[], options?: Input): V & Value<Name>;
  readonly name: Name;
  readonly options: Schema;
}

/** Texts that definitions can be written as, for an editor to complete: `"pgd"`, `"pgd(steps=7)"`. */
export type TextOf<Definitions> = {
  [Key in keyof Definitions]: Definitions[Key] extends {
    readonly kind: string;
    readonly name: infer Name extends string;
  }
    ? Name | `${Name}(${string})`
    : never;
}[keyof Definitions];

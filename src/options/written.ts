import { isObject } from "../base/index.js";
import type { OptionValue } from "./call.js";

/** Record option whose entries text writes beside the other options, as in `sqa(relu1=1, range=batch)`. */
export interface SpreadOption {
  /** Name of the record. */
  readonly spread: string | undefined;
  /** Names of all options. */
  readonly names: readonly string[];
}

/**
 * Options as a schema takes them: entries that stand beside the options are gathered in the record, in the
 * order of their names. So values of the same text do the same.
 *
 * @throws RangeError, which begins with `what`, for a record that text cannot hold: an entry that is named
 *   twice or like an option, or no entry at all
 */
export function gathered(what: string, given: unknown, { spread, names }: SpreadOption): unknown {
  if (spread === undefined || !isObject(given)) return given;
  const isOption = ([name]: [string, unknown]) => names.includes(name);
  const options = Object.fromEntries(Object.entries(given).filter(isOption));
  const beside = Object.entries(given).filter((entry) => !isOption(entry));
  const record = options[spread];
  // What is no record is left to the schema, which says so.
  if (record === undefined ? beside.length === 0 : !isObject(record) || Array.isArray(record)) return given;
  const entries = [...Object.entries(record ?? {}), ...beside].sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0)
    throw new RangeError(`${what}: option "${spread}" is empty; name an entry, or leave it out`);
  for (const [i, [name]] of entries.entries()) {
    if (name === entries[i + 1]?.[0])
      throw new RangeError(`${what}: "${name}" is named twice in option "${spread}"`);
    // zod leaves __proto__ out of a record without a word.
    if (name !== "__proto__" && !names.includes(name)) continue;
    throw new RangeError(
      `${what}: option "${spread}" cannot hold the name "${name}"; use a pattern that matches it`,
    );
  }
  return { ...options, [spread]: Object.fromEntries(entries) };
}

/**
 * Options as a call holds them: values as their calls, and the record's entries by name beside the others.
 */
export function written(options: Readonly<Record<string, unknown>>, { spread }: SpreadOption) {
  if (spread === undefined) return calls(options);
  const { [spread]: record, ...others } = options;
  return calls({ ...(record as object | undefined), ...others });
}

function calls(options: Readonly<Record<string, unknown>>): Record<string, OptionValue> {
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, callOf(option) as OptionValue]),
  );
}

/**
 * Call of a value of any kind, also within a list; name of a thing of a user's own; anything else as it is.
 */
function callOf(option: unknown): unknown {
  if (Array.isArray(option)) return option.map(callOf);
  const hasProperties = isObject(option) || typeof option === "function";
  if (hasProperties && "call" in option) return option.call;
  return isObject(option) && typeof option.toJSON === "function" ? option.toJSON() : option;
}

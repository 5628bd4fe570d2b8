import { unknownName } from "./errors.js";

/** RangeError that suggests the nearest name for an option that there is not. */
export function checkOptionNames(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName("option", unknown, known);
}

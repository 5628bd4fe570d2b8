import type * as z from "zod";
import { formatRatio } from "../../../options/index.js";
import { kebabCase } from "../option-names.js";
import { importWords, quoted } from "../shown-path.js";

/** Words of a command line that its options do not say. */
export interface CommandWords {
  /** Options that change nothing of the outcome, and are left out. */
  readonly without?: readonly string[];
  /** Paths of modules to load first. */
  readonly imports?: readonly string[];
}

/** Options with a value that is not the default's, without those that are passed over. */
export function givenBeside(
  given: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
  passedOver: readonly string[],
): [option: string, value: unknown][] {
  return Object.entries(given).filter(
    ([option, value]) =>
      value !== undefined &&
      !passedOver.includes(option) &&
      JSON.stringify(value) !== JSON.stringify(defaults[option]),
  );
}

/** Command line that asks for the same again: operands, and options that differ from their defaults. */
export function commandText(
  name: string,
  operands: readonly string[],
  given: Readonly<Record<string, unknown>>,
  schema: z.ZodObject,
  { without = [], imports = [] }: CommandWords = {},
): string {
  const defaults: Readonly<Record<string, unknown>> = schema.parse({});
  const words = givenBeside(given, defaults, without).flatMap(([option, value]) => flagsOf(option, value));
  return ["npx sqa", name, ...operands.map(quoted), ...words, ...importWords(imports)].join(" ");
}

function flagsOf(option: string, value: unknown): string[] {
  const flag = `--${kebabCase(option)}`;
  if (value === true) return [flag];
  if (value === false || (Array.isArray(value) && value.length === 0)) return [`--no-${kebabCase(option)}`];
  return [value]
    .flat()
    .flatMap((one) => [flag, quoted(typeof one === "number" ? formatRatio(one) : String(one))]);
}

import type * as z from "zod";
import { formatRatio } from "../../../options/index.js";
import { kebabCase } from "../option-names.js";
import { importWords, quoted } from "../shown-path.js";

/** Command that trains a run to its end, as the end of an error's sentence. */
export const finishFirst = (run: string) => `npx sqa train ${quoted(run)} trains it to its end`;

/** Words of a command line that its options do not say. */
export interface CommandWords {
  /** Options that change nothing of the outcome, and are left out. */
  readonly without?: readonly string[];
  /** Paths of modules to load first. */
  readonly imports?: readonly string[];
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
  const differs = ([option, value]: [string, unknown]) =>
    value !== undefined &&
    !without.includes(option) &&
    JSON.stringify(value) !== JSON.stringify(defaults[option]);
  const words = Object.entries(given)
    .filter(differs)
    .flatMap(([option, value]) => flagsOf(option, value));
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

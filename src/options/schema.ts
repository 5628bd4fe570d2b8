import * as z from "zod";
import { checkKind, suggestedName } from "../base/index.js";
import { describeOptions, describeType, describeValue, optionShape } from "./describe.js";

/**
 * Fault of one option: `problem` goes on after its name ("cannot be 2; accepted: ..."). Where the
 * options contradict each other, `option` is undefined and `problem` a sentence of its own.
 */
export interface OptionFault {
  readonly option: string | undefined;
  readonly unknown: boolean;
  readonly problem: string;
}

/** Options checked against a schema: the typed ones with defaults filled in, or every fault. */
export type CheckedOptions<S extends z.ZodObject> =
  | { readonly ok: true; readonly options: z.output<S> }
  | { readonly ok: false; readonly faults: readonly OptionFault[] };

/** Checks options without throwing, so that a caller can name flags or lines of a file. */
export function checkOptions<S extends z.ZodObject>(schema: S, given: object): CheckedOptions<S> {
  const result = schema.safeParse(given);
  if (result.success) return { ok: true, options: result.data };
  const faults = result.error.issues.flatMap((issue) => faultsOf(issue, schema, given));
  // Each wrong number of a list is an issue, and all of them make one fault of the option.
  return { ok: false, faults: [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()] };
}

/** Schema of an option that `read` makes of what was given: its TypeError or RangeError is the option's. */
export function readOption<Output, Input>(read: (given: Input) => Output): z.ZodType<Output, Input> {
  return z.transform((given: Input, context): Output => {
    try {
      return read(given);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: given });
      return z.NEVER;
    }
  }) as unknown as z.ZodType<Output, Input>;
}

/**
 * The options of a thing, checked and with defaults: `parseOptions("attack", "pgd", schema, { steps: 7 })`.
 * RangeError with one line a fault: an unknown option names the nearest and all, a wrong value says what is
 * accepted. TypeError when the options are not an object.
 */
export function parseOptions<S extends z.ZodObject>(
  kind: string,
  name: string,
  schema: S,
  given: unknown,
): z.output<S> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    const shown =
      given === null ? "null" : Array.isArray(given) ? "a list" : `${typeof given} ${describeValue(given)}`;
    throw new TypeError(
      `${kind} ${name}: options must be an object such as { ${exampleOf(schema)} }, given ${shown}`,
    );
  }
  const checked = checkOptions(schema, given);
  if (checked.ok) return checked.options;
  const known = checked.faults.some((fault) => fault.unknown)
    ? [`${kind} ${name}: options: ${listOptions(schema)}`]
    : [];
  throw new RangeError(
    [...checked.faults.map((fault) => `${kind} ${name}: ${faultText(fault)}`), ...known].join("\n"),
  );
}

/** Those of checked options that differ from their schema's defaults. */
export function changedOptions(
  schema: z.ZodObject,
  checked: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const isDefault = ([name, value]: [string, unknown]) => {
    const absent = schema.shape[name]?.safeParse(undefined);
    return absent?.success === true && JSON.stringify(absent.data) === JSON.stringify(value);
  };
  return Object.fromEntries(Object.entries(checked).filter((option) => !isDefault(option)));
}

/**
 * Schema of a definition, which `what` names. It refuses unknown options, which a schema of `z.object` drops
 * without a word. TypeError for what is no schema, RangeError for a default that its own option would refuse.
 */
export function checkedSchema<S extends z.ZodObject>(what: string, schema: S): S {
  const accepted = "a schema such as z.strictObject({ ... })";
  checkKind(`${what}: options`, schema, accepted, schema instanceof z.ZodObject);
  for (const [option, field] of Object.entries(schema.shape)) checkDefault(`${what}: ${option}`, field);
  return schema.def.catchall?._zod.def.type === "never" ? schema : (schema.strict() as unknown as S);
}

/** Types whose options come out as they were put in. */
const plainTypes = ["string", "number", "boolean", "enum", "literal"];

/** Throws a RangeError for a default of another kind than its option: zod takes it unseen. */
function checkDefault(what: string, field: z.core.$ZodType): void {
  if (!(field instanceof z.ZodDefault)) return;
  const inner = field.def.innerType;
  const { defaultValue } = field.def;
  if (!plainTypes.includes(inner._zod.def.type) || z.safeParse(inner, defaultValue).success) return;
  const accepted = describeType(optionShape(inner));
  throw new RangeError(`${what}: the default ${describeValue(defaultValue)} must be ${accepted}`);
}

/** The options with their defaults in one line: `epsilon (required), steps=7, norm=linf`. */
export function listOptions(schema: z.ZodObject): string {
  const rows = describeOptions(schema);
  if (rows.length === 0) return "none";
  return rows
    .map((row) =>
      row.default !== undefined
        ? `${row.name}=${row.default}`
        : row.required
          ? `${row.name} (required)`
          : row.name,
    )
    .join(", ");
}

function exampleOf(schema: z.ZodObject): string {
  const row = describeOptions(schema)[0];
  return row === undefined ? "" : `${row.name}: ${row.default ?? "..."}`;
}

function faultText({ option, unknown, problem }: OptionFault): string {
  if (option === undefined) return problem;
  return unknown ? `unknown option "${option}"${problem}` : `option "${option}" ${problem}`;
}

function faultsOf(issue: z.core.$ZodIssue, schema: z.ZodObject, given: object): OptionFault[] {
  const option = issue.path.length === 0 ? undefined : String(issue.path[0]);
  if (issue.code === "unrecognized_keys" && option === undefined) {
    return issue.keys.map((key) => ({ option: key, unknown: true, problem: nearestHint(key, schema) }));
  }
  if (option === undefined) return [{ option, unknown: false, problem: issue.message }];
  const value = (given as Record<string, unknown>)[option];
  if (value === undefined)
    return [{ option, unknown: false, problem: `is missing${wanted(schema, option)}` }];
  // A check written by hand explains itself better than the type does.
  if (issue.code === "custom" && issue.message !== "Invalid input") {
    return [
      {
        option,
        unknown: false,
        problem: `cannot be ${describeValue(valueAt(given, issue.path))}: ${issue.message}`,
      },
    ];
  }
  // Where no bound of the option's own is broken, the type as it is described would seem to accept the
  // number.
  const unsafe = issue.code === "too_big" && issue.maximum === Number.MAX_SAFE_INTEGER ? ", below 2^53" : "";
  return [
    {
      option,
      unknown: false,
      problem: `cannot be ${describeValue(value)}${acceptedBy(schema, option)}${unsafe}`,
    },
  ];
}

/** End of the sentence on a missing option. The description of a mere text says more than its type. */
function wanted(schema: z.ZodObject, option: string): string {
  const field = schema.shape[option];
  const shape = field === undefined ? {} : optionShape(field);
  const isText = shape.description !== undefined && describeType(shape) === "text";
  return isText ? `: ${shape.description}` : acceptedBy(schema, option);
}

function acceptedBy(schema: z.ZodObject, option: string): string {
  const field = schema.shape[option];
  if (field === undefined) return "";
  const shape = optionShape(field);
  // Help texts leave out what goes without saying.
  const isBare = shape.accepted !== undefined || shape.minLength === undefined;
  const notEmpty = isBare ? "" : " that is not empty";
  return `; accepted: ${describeType(shape)}${notEmpty}${shape.hint === undefined ? "" : `; ${shape.hint}`}`;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value: unknown, key) => (value as Record<PropertyKey, unknown>)[key], given);
}

function nearestHint(name: string, schema: z.ZodObject): string {
  const near = suggestedName(name, Object.keys(schema.shape));
  return near === undefined ? "" : `; did you mean "${near}"?`;
}

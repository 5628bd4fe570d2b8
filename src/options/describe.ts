import * as z from "zod";
import { formatCall, isCall } from "./call.js";
import { formatRatio } from "./ratio.js";

/**
 * One option as help texts and docs show it. `default` is undefined when the option is required or simply
 * absent.
 */
export interface OptionRow {
  readonly name: string;
  readonly type: string;
  readonly default: string | undefined;
  readonly required: boolean;
  readonly description: string;
}

/**
 * Part of a JSON Schema that says what an option takes. From `.meta()` come `accepted`, `placeholder` (as in
 * `--runs FOLDER`), `hint` for those whose value was refused, and `hidden` for an option of files alone.
 */
export interface OptionShape {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly OptionShape[];
  readonly items?: OptionShape | false;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly description?: string;
  readonly accepted?: string;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly hidden?: boolean;
}

/**
 * Shape of an option. A transformed option is described by what is put in, a preprocessed one by what comes
 * out.
 */
export function optionShape(schema: z.core.$ZodType): OptionShape {
  const output = plain(z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }) as JsonShape);
  const input = plain(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonShape);
  const saysType = "type" in output || "anyOf" in output || "enum" in output || "const" in output;
  return saysType ? { ...pickMeta(input), ...output } : { ...input, ...pickMeta(output) };
}

type JsonShape = Omit<OptionShape, "type"> & { readonly type?: string | readonly string[] };

/** JSON Schema may write a union of plain types as a list of names; here it is always `anyOf`. */
function plain({ type, ...rest }: JsonShape): OptionShape {
  if (typeof type === "object") return { ...rest, anyOf: type.map((one) => ({ type: one })) };
  return type === undefined ? rest : { ...rest, type };
}

function pickMeta(shape: OptionShape): OptionShape {
  return {
    ...(shape.description === undefined ? {} : { description: shape.description }),
    ...(shape.accepted === undefined ? {} : { accepted: shape.accepted }),
    ...(shape.placeholder === undefined ? {} : { placeholder: shape.placeholder }),
    ...(shape.hint === undefined ? {} : { hint: shape.hint }),
    ...(shape.hidden === undefined ? {} : { hidden: shape.hidden }),
  };
}

/** Values that an option accepts, in words: `a number in [0, 1]`, `linf | l2`, `true or false`. */
export function describeType(shape: OptionShape): string {
  if (shape.accepted !== undefined) return shape.accepted;
  if (shape.enum !== undefined) return shape.enum.map(String).join(" | ");
  if (shape.const !== undefined) return String(shape.const);
  if (shape.anyOf !== undefined) return shape.anyOf.map(describeType).join(" | ");
  if (shape.type === "boolean") return "true | false";
  if (shape.type === "number") return `a number${describeBounds(shape)}`;
  if (shape.type === "integer") return `${describeWhole(shape)}${describeBounds(shape)}`;
  if (shape.type === "string") return "text";
  if (shape.type === "null") return "none";
  if (shape.type === "array") return shape.items ? `a list of: ${describeType(shape.items)}` : "a list";
  return "a value";
}

function describeWhole({ multipleOf }: OptionShape): string {
  if (multipleOf === undefined) return "a whole number";
  return multipleOf === 2 ? "an even number" : `a multiple of ${multipleOf}`;
}

function describeBounds(shape: OptionShape): string {
  // zod bounds every integer by the largest safe one; saying so helps nobody.
  const safe = (bound: number | undefined) =>
    Math.abs(bound ?? 0) === Number.MAX_SAFE_INTEGER ? undefined : bound;
  const low = safe(shape.minimum) ?? safe(shape.exclusiveMinimum);
  const high = safe(shape.maximum) ?? safe(shape.exclusiveMaximum);
  const openLow = safe(shape.minimum) === undefined;
  const openHigh = safe(shape.maximum) === undefined;
  if (low !== undefined && high !== undefined)
    return ` in ${openLow ? "(" : "["}${low}, ${high}${openHigh ? ")" : "]"}`;
  if (low !== undefined) return openLow ? ` above ${low}` : ` of at least ${low}`;
  if (high !== undefined) return openHigh ? ` below ${high}` : ` of at most ${high}`;
  return "";
}

/** A value as it would be written on the command line. */
export function describeValue(value: unknown): string {
  if (typeof value === "number" && Number.isFinite(value)) return formatRatio(value);
  if (Array.isArray(value)) return `[${value.map(describeValue).join(", ")}]`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null && "call" in value) return String(value);
  if (isCall(value)) return formatCall(value.name, value.options, value.of);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The options of a schema in the order declared, for help texts and docs. */
export function describeOptions(schema: z.ZodObject): OptionRow[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const shape = optionShape(field);
    const absent = z.safeParse(field, undefined);
    const value = absent.success ? absent.data : undefined;
    return {
      name,
      type: describeType(shape),
      default: value === undefined ? undefined : describeDefault(value),
      required: !absent.success,
      description: shape.description ?? "",
    };
  });
}

function describeDefault(value: unknown): string {
  return typeof value === "string" ? value : describeValue(value);
}

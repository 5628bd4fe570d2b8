/** Writes src/engine/operators.ts: typed operators from the schemas of the loaded libtorch. `npm run operators`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { operator, schemaOf } from "../src/engine/dispatch.js";
import { functions, methods } from "./operator-list.js";

interface Parameter {
  name: string;
  type: string;
  lower: string;
  optional: boolean;
}

const types: Record<string, string> = {
  Tensor: "Tensor",
  Scalar: "number",
  int: "number",
  SymInt: "number",
  float: "number",
  bool: "boolean",
  str: "string",
  ScalarType: "DType",
  MemoryFormat: "MemoryFormat",
  Device: "string",
};

/** Arguments that no caller here sets: they are passed as undefined, which is their default. */
const omitted = new Set(["Layout", "Generator", "Dimname"]);

const camel = (name: string) => name.replace(/(?<=.)_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function parameterOf(text: string): Parameter | undefined {
  const match = /^(\w+)(?:\([a-z]!?(?: -> \*)?\))?(\[\d*\])?(\?)?(\[\])?\s+(\w+)(=.*)?$/.exec(text.trim());
  if (match === null) throw new Error(`cannot read the parameter "${text}"`);
  const [, base, list, nullable, outerList, name, fallback] = match;
  const optional = fallback !== undefined || nullable !== undefined;
  if (omitted.has(base!) || name === "pin_memory" || name === "non_blocking" || name === "out")
    return undefined;
  const element = types[base!];
  if (element === undefined) throw new Error(`the type of "${text}" has no TypeScript type yet`);
  const argument = camel(name!);
  let type = list || outerList ? `readonly ${element}[]` : element;
  if (nullable && element === "Tensor") type += " | null";
  const lower =
    base === "ScalarType"
      ? `scalarType(${argument})`
      : base === "MemoryFormat"
        ? `memoryFormatCode(${argument})`
        : base === "Device"
          ? `deviceArgument(${argument})`
          : argument;
  return { name: argument, type, lower, optional };
}

function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if ("([".includes(text[i]!)) depth++;
    if (")]".includes(text[i]!)) depth--;
    if (text[i] === "," && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (text.slice(start).trim() !== "") parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== "*");
}

function resultType(text: string, name: string): string {
  if (name.endsWith("_") || text === "()") return "void";
  const inner = text.startsWith("(") ? splitTop(text.slice(1, -1)) : undefined;
  const one = (part: string) => {
    const match = /^(\w+)(?:\([a-z]!?\))?(\[\])?/.exec(part)!;
    const type = types[match[1]!];
    if (type === undefined) throw new Error(`the result "${part}" has no TypeScript type yet`);
    return type + (match[2] ?? "");
  };
  return inner ? `[${inner.map(one).join(", ")}]` : one(text);
}

function parse(schema: string, name: string) {
  const match = /^[\w:.]+\((.*)\) -> (.*)$/.exec(schema);
  if (match === null) throw new Error(`cannot read the schema "${schema}"`);
  const raw = splitTop(match[1]!);
  const parameters = raw.map(parameterOf);
  // TypeScript wants required parameters first: one before a later required parameter is required too.
  const required = parameters.map((parameter) => parameter !== undefined && !parameter.optional);
  const lastRequired = required.lastIndexOf(true);
  for (const [i, parameter] of parameters.entries())
    if (parameter && i < lastRequired) parameter.optional = false;
  return { parameters, result: resultType(match[2]!, name) };
}

function declaration(
  name: string,
  overloads: readonly string[],
  isMethod: boolean,
): { constants: string; code: string } {
  const parsed = overloads.map((overload) => {
    const [base = "", variant = ""] = overload.split(".");
    const schema = schemaOf(operator(`aten::${base}`, variant));
    return { base, variant, schema, ...parse(schema, name) };
  });
  const constant = (entry: { base: string; variant: string }) =>
    `${camel(entry.base)}${entry.variant === "" ? "" : `_${entry.variant}`}Operator`.replace(/^_/, "");
  const constants = parsed
    .map((entry) => `const ${constant(entry)} = operator("aten::${entry.base}", "${entry.variant}");`)
    .join("\n");
  const main = parsed[0]!;
  const shown = main.parameters.filter((parameter) => parameter !== undefined);
  const choice = isMethod ? shown[1] : undefined;
  const signature = (isMethod ? shown.slice(1) : shown)
    .map((parameter) => {
      const type = parsed.length > 1 && parameter === choice ? `${parameter.type} | number` : parameter.type;
      return `${parameter.name}${parameter.optional ? "?" : ""}: ${type}`;
    })
    .join(", ");
  let lowered = main.parameters.map((parameter, i) =>
    parameter === undefined ? "undefined" : isMethod && i === 0 ? "this.self()" : parameter.lower,
  );
  while (lowered.at(-1) === "undefined") lowered = lowered.slice(0, -1);
  const op =
    parsed.length > 1
      ? `typeof ${choice!.name} === "number" ? ${constant(parsed[1]!)} : ${constant(main)}`
      : constant(main);
  const docs = parsed.map((entry) => entry.schema).join("`, `");
  const body = `call(${op}, [${lowered.join(", ")}])`;
  const statement = main.result === "void" ? `${body};` : `return ${body} as ${main.result};`;
  const head = isMethod ? `${name}(` : `export function ${name}(`;
  return { constants, code: `/** \`${docs}\` */\n${head}${signature}): ${main.result} {\n  ${statement}\n}` };
}

/** The text of src/engine/operators.ts for the loaded libtorch. */
export function generateOperators(): string {
  const made = Object.entries(methods).map(([name, overloads]) => declaration(name, overloads, true));
  const free = Object.entries(functions).map(([name, overloads]) => declaration(name, overloads, false));
  const indent = (text: string) => text.replace(/^(?=.)/gm, "  ");
  return `// Generated by \`npm run operators\` from libtorch's schemas: edit scripts/operator-list.ts, not this file.
import { deviceArgument } from "./device/devices.js";
import { call, operator } from "./dispatch.js";
import { type DType, type MemoryFormat, memoryFormatCode, scalarType } from "./dtype.js";
import type { Tensor } from "./tensor.js";

${[...made, ...free].map((entry) => entry.constants).join("\n")}

/** The operators that read as methods of a tensor. */
export abstract class TensorOperators {
  private self(): Tensor {
    return this as unknown as Tensor;
  }

${made.map((entry) => indent(entry.code)).join("\n\n")}
}

${free.map((entry) => entry.code).join("\n\n")}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL("../src/engine/operators.ts", import.meta.url), generateOperators());
}

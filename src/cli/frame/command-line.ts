import { CommanderError, Option, Command as Parser } from "commander";
import * as z from "zod";
import { describeOptions, type OptionRow, type OptionShape, optionShape } from "../../options/describe.js";
import { readText } from "../../options/text.js";
import type { Command } from "./command.js";
import { camelCase, kebabCase } from "./config-file.js";
import { addGlobalOptions, plainMessage } from "./global-options.js";
import { colors, outputWidth } from "./output.js";
import { UsageError } from "./usage-error.js";

/** What the words of a command line say: options that were given, by name, the operands, and the frame's own options. */
export interface ParsedLine {
  readonly options: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  readonly config: string | undefined;
  readonly quiet: boolean;
  readonly color: boolean;
  /** The text that `--help` asks for. */
  readonly help: string | undefined;
}

/** Read the words after a command's name. UsageError for what commander refuses; values are checked later. */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const shapes = shapesOf(command);
  let help: string | undefined;
  const parser = buildParser(command, shapes, (text) => {
    help = (help ?? "") + text;
  });
  try {
    parser.parse(normalizeWords(command, shapes, words), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (help !== undefined) return { options: {}, operands: [], config: undefined, quiet: false, color: true, help };
    if (error.code === "commander.missingArgument") throw new UsageError(missingOperand(command, parser.args.length));
    if (error.code !== "commander.excessArguments") throw new UsageError(plainMessage(error));
    const most = command.operands?.length ?? 0;
    throw new UsageError(`too many arguments: ${parser.args.join(" ")} (${most === 0 ? "none" : most} expected)`);
  }
  const options: Record<string, unknown> = {};
  for (const name of shapes.keys()) {
    if (parser.getOptionValueSource(name) === "cli") options[name] = parser.getOptionValue(name);
  }
  const { config, quiet = false, color = true } = parser.opts();
  return { options, operands: parser.args, config, quiet, color, help };
}

/** Which operand is missing after those given, and what it may be. */
function missingOperand({ operands = [] }: Command, given: number): string {
  const operand = operands[given];
  return operand === undefined ? "an argument is missing" : `missing ${operand.name}: ${operand.description}`;
}

function shapesOf(command: Command): Map<string, OptionShape> {
  return new Map(Object.entries(command.options.shape).map(([name, field]) => [name, optionShape(field)]));
}

function buildParser(
  command: Command,
  shapes: ReadonlyMap<string, OptionShape>,
  write: (text: string) => void,
): Parser {
  const rows = describeOptions(command.options);
  const switchedOn = new Set(rows.filter((row) => row.default === "true").map((row) => kebabCase(row.name)));
  const parser = new Parser(`sqa ${command.name}`)
    .description(command.description ?? command.summary)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {}, outputError: () => {}, getOutHelpWidth: outputWidth })
    .configureHelp({
      optionTerm: (option) => (switchedOn.has(option.name()) ? `--[no-]${option.name()}` : option.flags),
    });
  for (const { name, description, optional = false, variadic = false } of command.operands ?? []) {
    const inner = variadic ? `${name}...` : name;
    parser.argument(optional ? `[${inner}]` : `<${inner}>`, description);
  }
  for (const row of rows) addOption(parser, row, shapes.get(row.name)!);
  parser.option("--config <FILE>", "YAML file with options; those given here win");
  addGlobalOptions(parser);
  const { bold, dim } = colors("stdout");
  const examples = command.examples.map((line) => `  ${dim("$")} ${line}`).join("\n");
  return parser.addHelpText(
    "after",
    `\n${bold(command.examples.length === 1 ? "Example:" : "Examples:")}\n${examples}`,
  );
}

function addOption(parser: Parser, row: OptionRow, shape: OptionShape): void {
  const flag = `--${kebabCase(row.name)}`;
  const help = describeRow(row, shape);
  if (shape.type === "boolean") {
    parser.addOption(new Option(flag, help)).addOption(new Option(`--no-${kebabCase(row.name)}`).hideHelp());
  } else if (takesOptionalValue(shape)) {
    parser.addOption(
      new Option(`${flag} [${placeholder(shape)}]`, help).argParser((text: string) => readText(shape, text)),
    );
    parser.addOption(new Option(`--no-${kebabCase(row.name)}`).hideHelp());
  } else if (shape.type === "array") {
    const item = shape.items || {};
    const collect = (text: string, before: unknown[] = []) => [...before, readText(item, text)];
    parser.addOption(new Option(`${flag} <${placeholder(item)}>`, help).argParser(collect));
  } else {
    parser.addOption(
      new Option(`${flag} <${placeholder(shape)}>`, help).argParser((text: string) => readText(shape, text)),
    );
  }
}

function takesOptionalValue(shape: OptionShape): boolean {
  return shape.anyOf?.some((one) => one.type === "boolean") === true;
}

function describeRow(row: OptionRow, shape: OptionShape): string {
  const remarks: string[] = [];
  const item = shape.items || shape;
  if (item.accepted !== undefined) remarks.push(item.accepted);
  else if (BOUNDED.test(row.type)) remarks.push(row.type);
  if (shape.type === "array") remarks.push("repeatable");
  if (row.required) remarks.push("required");
  else if (row.default !== undefined && !["false", "[]"].includes(row.default)) remarks.push(`default: ${row.default}`);
  return remarks.length === 0 ? row.description : `${row.description} (${remarks.join("; ")})`.trim();
}

/** A type that the placeholder `<number>` does not tell whole. */
const BOUNDED = /^a (whole )?number (in|above|below|of)/;

function placeholder(shape: OptionShape): string {
  if (shape.placeholder !== undefined) return shape.placeholder;
  if (shape.enum !== undefined) return shape.enum.join("|");
  if (shape.anyOf !== undefined) {
    const valued = shape.anyOf.filter((one) => one.type !== "boolean" && one.type !== "null");
    return valued.map(placeholder).join("|") || "value";
  }
  if (shape.type === "number" || shape.type === "integer") return "number";
  return shape.type === "string" ? "text" : "value";
}

/**
 * Words as commander takes them: `--stepSize` becomes `--step-size`, and `--sqa runs/small` becomes `--sqa=true runs/small`
 * where the command has operands and `--sqa` would refuse "runs/small" as its value.
 */
function normalizeWords(
  command: Command,
  shapes: ReadonlyMap<string, OptionShape>,
  words: readonly string[],
): string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  return words.map((word, index) => {
    const match = /^--(no-)?([A-Za-z0-9-]+)(=.*)?$/s.exec(word);
    if (match === null || index >= end) return word;
    const [, no = "", written = "", value] = match;
    const name = camelCase(written);
    const shape = shapes.get(name);
    if (shape === undefined) return word;
    const kebab = `--${no}${kebabCase(name)}`;
    const next = words[index + 1];
    if (
      value === undefined &&
      no === "" &&
      next !== undefined &&
      takesOptionalValue(shape) &&
      command.operands?.length
    ) {
      const accepted = z.safeParse(command.options.shape[name]!, readText(shape, next)).success;
      // A mistyped call is no operand; its fault is the option's.
      if (!next.startsWith("-") && !next.includes("(") && !accepted) return `${kebab}=true`;
    }
    return `${kebab}${value ?? ""}`;
  });
}

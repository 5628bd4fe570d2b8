import { CommanderError, Option, Command as Parser } from "commander";
import {
  describeOptions,
  type OptionRow,
  type OptionShape,
  optionShape,
  readText,
} from "../../options/index.js";
import type { Command } from "./command.js";
import { addGlobalOptions, type GlobalOptions, plainMessage } from "./global-options.js";
import { camelCase, kebabCase } from "./option-names.js";
import { colors, outputWidth } from "./output.js";
import { UsageError } from "./usage-error.js";

/**
 * Words of a command line, sorted: options that were given, by name, the operands, and the frame's own
 * options.
 */
export interface ParsedLine {
  readonly options: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
  readonly config: string | undefined;
  readonly globals: GlobalOptions;
  /** The text that `--help` asks for. */
  readonly help: string | undefined;
}

/**
 * Reads the words after a command's name. UsageError for what commander refuses; values are checked later.
 */
export function parseLine(command: Command, words: readonly string[]): ParsedLine {
  const shapes = shapesOf(command);
  let help: string | undefined;
  const parser = buildParser(command, shapes, (text) => {
    help = (help ?? "") + text;
  });
  try {
    parser.parse(normalizeWords(shapes, words), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (help !== undefined) return { options: {}, operands: [], config: undefined, globals: {}, help };
    if (error.code === "commander.missingArgument")
      throw new UsageError(missingOperand(command, parser.args.length));
    if (error.code !== "commander.excessArguments")
      throw new UsageError(plainMessage(error, [...shapes.keys()]));
    const most = command.operands?.length ?? 0;
    throw new UsageError(
      `too many arguments: ${parser.args.join(" ")} (${most === 0 ? "none" : most} expected)`,
    );
  }
  const options: Record<string, unknown> = {};
  for (const [name, shape] of shapes) {
    if (parser.getOptionValueSource(name) !== "cli") continue;
    const value = parser.getOptionValue(name);
    options[name] = shape.type === "array" && value === false ? [] : value;
  }
  const { config, ...globals } = parser.opts<GlobalOptions & { config?: string }>();
  return { options, operands: parser.args, config, globals, help };
}

/** Message that names the operand missing after those given, and tells what it may be. */
function missingOperand({ operands = [] }: Command, given: number): string {
  const operand = operands[given];
  return operand === undefined ? "an argument is missing" : `missing ${operand.name}: ${operand.description}`;
}

/** Options that a command line can give, by name. */
export function shapesOf(command: Command): Map<string, OptionShape> {
  const shapes = Object.entries(command.options.shape).map(
    ([name, field]) => [name, optionShape(field)] as const,
  );
  return new Map(shapes.filter(([, { hidden }]) => hidden !== true));
}

/** A summary as a sentence of its own. */
const sentence = (summary: string) => `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;

function buildParser(
  command: Command,
  shapes: ReadonlyMap<string, OptionShape>,
  write: (text: string) => void,
): Parser {
  const rows = describeOptions(command.options).filter(({ name }) => shapes.has(name));
  const switchedOn = new Set(rows.filter((row) => row.default === "true").map((row) => kebabCase(row.name)));
  const parser = new Parser(`sqa ${command.name}`)
    .description(command.description ?? sentence(command.summary))
    .exitOverride()
    .configureOutput({
      writeOut: write,
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: outputWidth,
    })
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
  const negation = new Option(`--no-${kebabCase(row.name)}`).hideHelp();
  if (shape.type === "boolean") {
    parser.addOption(new Option(flag, help)).addOption(negation);
  } else if (shape.type === "array") {
    const item = shape.items || {};
    const collect = (text: string, before: unknown) => [
      ...(Array.isArray(before) ? before : []),
      readText(item, text),
    ];
    parser
      .addOption(new Option(`${flag} <${placeholder(item)}>`, help).argParser(collect))
      .addOption(negation);
  } else {
    parser.addOption(
      new Option(`${flag} <${placeholder(shape)}>`, help).argParser((text: string) => readText(shape, text)),
    );
  }
}

/**
 * Description with remarks in parentheses: what is accepted, and the default, which a description may say
 * itself.
 */
function describeRow(row: OptionRow, shape: OptionShape): string {
  const [, text, said] = /^(.*?)(?: \((default: .*)\))?$/s.exec(row.description)!;
  const remarks: string[] = [];
  const item = shape.items || shape;
  if (item.accepted !== undefined) remarks.push(item.accepted);
  else if (BOUNDED.test(row.type)) remarks.push(row.type);
  if (shape.type === "array") remarks.push("repeatable");
  if (row.required) remarks.push("required");
  else if (said !== undefined) remarks.push(said);
  else if (row.default !== undefined && !["false", "[]"].includes(row.default))
    remarks.push(`default: ${row.default}`);
  return remarks.length === 0 ? text! : `${text} (${remarks.join("; ")})`.trim();
}

/** A type that the placeholder `<number>` does not tell whole. */
const BOUNDED = /^a (whole )?number (in|above|below|of)/;

function placeholder(shape: OptionShape): string {
  if (shape.placeholder !== undefined) return shape.placeholder;
  if (shape.enum !== undefined) return shape.enum.join("|");
  if (shape.anyOf !== undefined) {
    const valued = shape.anyOf.filter((one) => one.type !== "null");
    return valued.map(placeholder).join("|") || "value";
  }
  if (shape.type === "number" || shape.type === "integer") return "number";
  return shape.type === "string" ? "text" : "value";
}

/** Words as commander takes them: `--stepSize` becomes `--step-size`. */
function normalizeWords(shapes: ReadonlyMap<string, OptionShape>, words: readonly string[]): string[] {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  return words.map((word, index) => {
    const match = /^--(no-)?([A-Za-z0-9-]+)(=.*)?$/s.exec(word);
    if (match === null || index >= end) return word;
    const [, no = "", written = "", value = ""] = match;
    const name = camelCase(written);
    return shapes.has(name) ? `--${no}${kebabCase(name)}${value}` : word;
  });
}

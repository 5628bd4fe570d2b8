import { FileFormatError } from "../../base/index.js";
import { optionShape } from "../../options/describe.js";
import { checkOptions, type OptionFault } from "../../options/schema.js";
import { readText } from "../../options/text.js";
import type { Command } from "./command.js";
import { parseLine } from "./command-line.js";
import { type ConfigFile, kebabCase, readConfigFile } from "./config-file.js";
import { configureOutput, out } from "./output.js";
import { UsageError } from "./usage-error.js";

const NO_FILE: ConfigFile = { values: {}, places: new Map() };

/** Run a command with the words after its name; options of a `--config` file count where no flag says otherwise. */
export async function runCommand(command: Command, words: readonly string[], signal: AbortSignal): Promise<number> {
  const line = parseLine(command, words);
  if (line.help !== undefined) {
    out(line.help.trimEnd());
    return 0;
  }
  configureOutput({ ...(line.quiet ? { quiet: true } : {}), ...(line.color ? {} : { color: false }) });
  const known = Object.keys(command.options.shape);
  const file = line.config === undefined ? NO_FILE : readConfig(line.config, known);
  const checked = checkOptions(command.options, { ...readTexts(command, file.values), ...line.options });
  if (!checked.ok) {
    throw new UsageError(checked.faults.map((fault) => describeFault(fault, line.options, file)).join("\n"));
  }
  return command.run(checked.options, { operands: line.operands, signal });
}

function readConfig(path: string, known: readonly string[]): ConfigFile {
  try {
    return readConfigFile(path, known);
  } catch (error) {
    if (error instanceof FileFormatError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Text in a file is read as on the command line: `epsilon: 8/255` is a number to YAML's readers, though not to YAML. */
function readTexts(command: Command, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const shape = optionShape(command.options.shape[name]!);
      if (shape.type !== "array") return [name, typeof value === "string" ? readText(shape, value) : value];
      const items = shape.items || {};
      // One value where a list belongs is a list of one, as a flag given once is.
      const list = Array.isArray(value) ? value : [value];
      return [name, list.map((item) => (typeof item === "string" ? readText(items, item) : item))];
    }),
  );
}

function describeFault(fault: OptionFault, given: Readonly<Record<string, unknown>>, file: ConfigFile): string {
  const { option, problem } = fault;
  if (option === undefined) return problem;
  const place = option in given ? undefined : file.places.get(option);
  return place === undefined ? `--${kebabCase(option)} ${problem}` : `${place}: ${kebabCase(option)} ${problem}`;
}

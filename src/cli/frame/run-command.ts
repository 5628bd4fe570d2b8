import { FileFormatError, MissingFileError } from "../../base/index.js";
import { checkOptions, type OptionFault, optionShape, readText } from "../../options/index.js";
import type { Command, CommandContext } from "./command.js";
import { parseLine, shapesOf } from "./command-line.js";
import { type ConfigFile, readConfigFile } from "./config-file.js";
import { exitCode } from "./exit-code.js";
import { heedGlobals } from "./global-options.js";
import { kebabCase } from "./option-names.js";
import { out } from "./output.js";
import { UsageError } from "./usage-error.js";

const NO_FILE: ConfigFile = { values: {}, places: new Map() };

/**
 * Runs a command with the words after its name; options of a `--config` file count where no flag says
 * otherwise.
 */
export async function runCommand(
  command: Command,
  words: readonly string[],
  context: Omit<CommandContext, "operands">,
): Promise<number> {
  const line = parseLine(command, words);
  if (line.help !== undefined) {
    out(line.help.trimEnd());
    return exitCode.done;
  }
  await heedGlobals(line.globals);
  const file = line.config === undefined ? NO_FILE : readConfig(line.config, command);
  const checked = checkOptions(command.options, { ...readTexts(command, file.values), ...line.options });
  if (!checked.ok) {
    throw new UsageError(checked.faults.map((fault) => describeFault(fault, line.options, file)).join("\n"));
  }
  const imports = [...context.imports, ...(line.globals.import ?? [])];
  return command.run(checked.options, { ...context, imports, operands: line.operands });
}

/** Options of a file, under the names that they have here. */
function readConfig(path: string, command: Command): ConfigFile {
  const { fileKeys = {} } = command;
  try {
    const shown = [...shapesOf(command).keys()];
    const kept = [...Object.keys(command.options.shape), ...Object.keys(fileKeys)];
    const { values, places } = readConfigFile(path, shown, kept);
    const first = new Map<string, string>();
    for (const [key, place] of places) {
      const name = fileKeys[key] ?? key;
      const other = first.get(name);
      if (other !== undefined)
        throw new FileFormatError(
          `${place}: option "${kebabCase(key)}" is given already, as "${kebabCase(other)}"`,
        );
      first.set(name, key);
    }
    const named = <T>(entries: Iterable<readonly [string, T]>) =>
      [...entries].map(([key, value]) => [fileKeys[key] ?? key, value] as const);
    return { values: Object.fromEntries(named(Object.entries(values))), places: new Map(named(places)) };
  } catch (error) {
    if (!(error instanceof FileFormatError) || error instanceof MissingFileError) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/**
 * Text in a file is read as on the command line: `epsilon: 8/255` is a number to YAML's readers, though not
 * to YAML.
 */
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

function describeFault(
  fault: OptionFault,
  given: Readonly<Record<string, unknown>>,
  file: ConfigFile,
): string {
  const { option, problem } = fault;
  if (option === undefined) return problem;
  const place = option in given ? undefined : file.places.get(option);
  return place === undefined
    ? `--${kebabCase(option)} ${problem}`
    : `${place}: ${kebabCase(option)} ${problem}`;
}

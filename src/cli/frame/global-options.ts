import { type CommanderError, Option, type Command as Parser } from "commander";
import { loadUserModule, suggestedName } from "../../base/index.js";
import { camelCase, kebabCase } from "./option-names.js";
import { configureOutput } from "./output.js";

/** Values of the options that `sqa` and every command have. */
export interface GlobalOptions {
  readonly import?: readonly string[];
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/** Adds the options that `sqa` and every command have. */
export function addGlobalOptions(parser: Parser): Parser {
  const collect = (file: string, before: readonly string[] = []) => [...before, file];
  return parser
    .addOption(
      new Option(
        "--import <FILE>",
        "module to load first, which registers attacks and the like (repeatable)",
      ).argParser(collect),
    )
    .option("--quiet", "no progress and no remarks")
    .option("--debug", "show where an error comes from")
    .option("--no-color", "no colors, as with NO_COLOR set")
    .helpOption("-h, --help", "show this help");
}

/**
 * Heeds the options that every command has; modules are loaded, so that they register what the words then
 * name.
 */
export async function heedGlobals({
  import: files = [],
  quiet = false,
  color = true,
}: GlobalOptions): Promise<void> {
  configureOutput({ ...(quiet ? { quiet } : {}), ...(color ? {} : { color }) });
  for (const file of files) await loadUserModule(file);
}

/**
 * Message of commander in one line. For an unknown option it names the one that was most likely meant:
 * commander's hint goes by spelling alone.
 */
export function plainMessage(error: CommanderError, known: readonly string[] = []): string {
  const [message] = error.message.replace(/^error: /, "").split("\n");
  const flag =
    error.code === "commander.unknownOption" ? /'--([A-Za-z0-9_-]+)/.exec(message!)?.[1] : undefined;
  const near = flag === undefined ? undefined : suggestedName(camelCase(flag), [...known, ...GLOBAL_NAMES]);
  return near === undefined ? message! : `${message}; did you mean "--${kebabCase(near)}"?`;
}

/** Names of the options that every command has. */
export const GLOBAL_NAMES: readonly string[] = [
  "config",
  "import",
  "quiet",
  "debug",
  "color",
  "help",
  "version",
];

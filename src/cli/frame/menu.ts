import { CommanderError, Command as Parser } from "commander";
import { unknownName } from "../../base/index.js";
import type { Command, CommandEntry, Menu } from "./command.js";
import { addGlobalOptions, type GlobalOptions, heedGlobals, plainMessage } from "./global-options.js";
import { colors, out, outputWidth } from "./output.js";
import { UsageError } from "./usage-error.js";

/** Command that was chosen, with the words after its name. */
export interface Choice {
  readonly command: Command;
  readonly rest: readonly string[];
  /** Paths of modules that were loaded first. */
  readonly imports: readonly string[];
}

/** Tells whether a choice of a menu is a menu itself. */
export function isMenu(choice: Command | Menu): choice is Menu {
  return "commands" in choice;
}

/**
 * Chooses the command that words name; undefined where they asked for the help or the version of a menu,
 * which then was shown.
 */
export async function choose(menu: Menu, words: readonly string[]): Promise<Choice | undefined> {
  const { globals: before, word, rest } = splitWords(words);
  const globals = readGlobals(menu, before);
  if (globals === undefined) return undefined;
  const imports = globals.import ?? [];
  await heedGlobals(globals);
  if (word === undefined) {
    if (menu.showsHelp !== true)
      throw new UsageError(`missing ${menu.thing}: ${Object.keys(menu.commands()).join(", ")}`, {
        program: menu.name,
      });
    readGlobals(menu, ["--help"]);
    return undefined;
  }
  const chosen = await (await entryOf(menu, word, rest)).load();
  if (!isMenu(chosen)) return { command: chosen, rest, imports };
  const inner = await choose(chosen, rest);
  return inner === undefined ? undefined : { ...inner, imports: [...imports, ...inner.imports] };
}

async function entryOf(menu: Menu, word: string, rest: readonly string[]): Promise<CommandEntry> {
  // A module that is named later in the line may register it.
  if (!Object.hasOwn(menu.commands(), word)) await heedGlobals({ import: importsIn(rest) });
  const commands = menu.commands();
  if (Object.hasOwn(commands, word)) return commands[word]!;
  throw new UsageError(unknownName(menu.thing, word, Object.keys(commands)).message, { program: menu.name });
}

function importsIn(words: readonly string[]): string[] {
  return words.flatMap((word, i) => {
    if (word === "--import") return words[i + 1] ?? [];
    return word.startsWith("--import=") ? word.slice("--import=".length) : [];
  });
}

/** Splits words at the first that is neither an option nor an option's value; `help x` is `x --help`. */
export function splitWords(words: readonly string[]) {
  let first = 0;
  while (words[first]?.startsWith("-") === true) first += words[first] === "--import" ? 2 : 1;
  const globals = words.slice(0, first);
  if (words[first] !== "help") return { globals, word: words[first], rest: words.slice(first + 1) };
  return { globals, word: words[first + 1], rest: ["--help"] };
}

/** Options before the word; undefined when they asked for help or the version, which then were shown. */
function readGlobals(menu: Menu, words: readonly string[]): GlobalOptions | undefined {
  const { bold, dim } = colors("stdout");
  const parser = new Parser(menu.name)
    .description(menu.description)
    .usage(`<${menu.thing}> [options]`)
    .helpCommand(false)
    .exitOverride()
    .action(() => {})
    .configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      outputError: () => {},
      getOutHelpWidth: outputWidth,
    })
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .commandsGroup(`${menu.thing[0]!.toUpperCase()}${menu.thing.slice(1)}s:`);
  if (menu.version !== undefined) parser.version(menu.version, "-V, --version", "show the version");
  addGlobalOptions(parser);
  for (const [name, { summary }] of Object.entries(menu.commands())) {
    parser.command(name).summary(summary).description(summary);
  }
  const examples = menu.examples.map((line) => `  ${dim("$")} ${line}`).join("\n");
  const more = `  ${dim("$")} ${menu.name} <${menu.thing}> --help`;
  if (examples !== "") parser.addHelpText("after", `\n${bold("Examples:")}\n${examples}`);
  parser.addHelpText("after", `\n${bold(`A ${menu.thing}'s options and examples:`)}\n${more}`);
  try {
    return parser.parse([...words], { from: "user" }).opts<GlobalOptions>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(plainMessage(error), { program: menu.name });
  }
}

import { readFileSync } from "node:fs";
import { CommanderError, Command as Parser } from "commander";
import { unknownName } from "../base/index.js";
import type { CommandEntry } from "./frame/command.js";
import { addGlobalOptions, plainMessage } from "./frame/global-options.js";
import { interruptible } from "./frame/interrupt.js";
import { colors, configureOutput, endOnClosedPipe, out, outputWidth, removeLiveLines, warn } from "./frame/output.js";
import { UsageError } from "./frame/usage-error.js";

type CommandTable = Readonly<Record<string, CommandEntry>>;

/** The commands of `sqa`. Each is loaded when it runs, so that help and errors come at once. */
export const commands: CommandTable = {
  demo: {
    summary: "train with SQA and without on MNIST, attack, and show the result beside the paper's",
    load: async () => (await import("./commands/demo.js")).demoCommand,
  },
  train: { summary: "train a network", load: async () => (await import("./commands/train.js")).trainCommand },
  evaluate: {
    summary: "measure a network's accuracy on clean images and under attacks",
    load: async () => (await import("./commands/evaluate.js")).evaluateCommand,
  },
  audit: {
    summary: "tell whether a network's claimed robustness is real",
    load: async () => (await import("./commands/audit.js")).auditCommand,
  },
  paper: {
    summary: "make a table or figure of the paper",
    load: async () => (await import("./commands/paper.js")).paperCommand,
  },
  data: {
    summary: "fetch a data set that is published as an archive",
    load: async () => (await import("./commands/data.js")).dataCommand,
  },
  import: {
    summary: "read PyTorch weights (.pt, .pth) and write them as safetensors",
    load: async () => (await import("./commands/import.js")).importCommand,
  },
  list: {
    summary: "list attacks, networks, data sets and training methods with their options",
    load: async () => (await import("./commands/list.js")).listCommand,
  },
  doctor: {
    summary: "say what this machine offers, and what is missing",
    load: async () => (await import("./commands/doctor.js")).doctorCommand,
  },
};

/**
 * Run `sqa` with the words after its name and return the exit code: 0 fine, 1 an error, 2 called in a wrong way, 130
 * stopped by Ctrl-C.
 */
export async function main(words: readonly string[], table: CommandTable = commands): Promise<number> {
  const restore = configureOutput({});
  using interrupt = interruptible();
  const debug = words.includes("--debug");
  let name: string | undefined;
  try {
    const line = splitWords(words);
    name = line.command;
    if (!readGlobals(line.globals, table)) return 0;
    if (name === undefined) {
      readGlobals(["--help"], table);
      return 0;
    }
    if (!Object.hasOwn(table, name)) throw new UsageError(unknownName("command", name, Object.keys(table)).message);
    const [command, { runCommand }] = await Promise.all([table[name]!.load(), import("./frame/run-command.js")]);
    if (command.endsAtOnce === true) interrupt[Symbol.dispose]();
    const code = await runCommand(command, line.rest, interrupt.signal);
    return code === 0 ? (interrupt.code ?? 0) : code;
  } catch (error) {
    removeLiveLines();
    if (interrupt.code !== undefined && error instanceof Error && error.name === "AbortError") return interrupt.code;
    const known = name !== undefined && Object.hasOwn(table, name);
    return reportError(error, known ? `sqa ${name}` : "sqa", debug);
  } finally {
    removeLiveLines();
    restore();
  }
}

/** Run `sqa` as this process. */
export async function runProcess(): Promise<void> {
  endOnClosedPipe();
  process.exitCode = await main(process.argv.slice(2));
}

/** No global option takes a value, so the first word that is no option is the command; `help x` is `x --help`. */
function splitWords(words: readonly string[]) {
  const found = words.findIndex((word) => !word.startsWith("-"));
  const first = found === -1 ? words.length : found;
  const globals = words.slice(0, first);
  if (words[first] !== "help") return { globals, command: words[first], rest: words.slice(first + 1) };
  return { globals, command: words[first + 1], rest: ["--help"] };
}

/** Heed the options before the command's name; false when they asked for help or the version, which then were shown. */
function readGlobals(words: readonly string[], table: CommandTable): boolean {
  const { bold, dim } = colors("stdout");
  const parser = new Parser("sqa")
    .description("Train image classifiers that resist adversarial examples, and measure honestly how robust they are.")
    .usage("<command> [options]")
    .version(packageVersion(), "--version", "show the version")
    .helpCommand(false)
    .exitOverride()
    .action(() => {})
    .configureOutput({
      writeOut: (text) => out(text.trimEnd()),
      outputError: () => {},
      getOutHelpWidth: outputWidth,
    })
    .configureHelp({ subcommandTerm: (command) => command.name() });
  addGlobalOptions(parser);
  for (const [name, { summary }] of Object.entries(table)) parser.command(name).summary(summary).description(summary);
  parser.addHelpText("after", `\n${bold("A command's options and examples:")}\n  ${dim("$")} sqa <command> --help`);
  try {
    parser.parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw new UsageError(plainMessage(error));
  }
  const { quiet, color } = parser.opts<{ quiet?: boolean; color: boolean }>();
  configureOutput({ ...(quiet === true ? { quiet } : {}), ...(color ? {} : { color }) });
  return true;
}

function reportError(error: unknown, program: string, debug: boolean): number {
  const { red } = colors("stderr");
  const message = error instanceof Error ? error.message : String(error);
  warn(`${red("error:")} ${message === "" && error instanceof Error ? error.name : message}`);
  if (debug && error instanceof Error) warn(error.stack ?? "");
  if (!(error instanceof UsageError)) return 1;
  warn(`see ${program} --help`);
  return 2;
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

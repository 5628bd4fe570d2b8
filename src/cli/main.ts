import { FileFormatError, isAbort, MissingFileError, messageOf, packageVersion } from "../base/index.js";
import type { CommandEntry, Menu } from "./frame/command.js";
import { endProcess, stoppedBy } from "./frame/ending.js";
import { exitCode } from "./frame/exit-code.js";
import { interruptible } from "./frame/interrupt.js";
import { choose, splitWords } from "./frame/menu.js";
import { colors, configureOutput, removeLiveLines, warn, watchOutput } from "./frame/output.js";
import { UsageError } from "./frame/usage-error.js";

type CommandTable = Readonly<Record<string, CommandEntry>>;

/** Commands of `sqa`. Each is loaded when it runs, so that help and errors come at once. */
export const commands: CommandTable = {
  demo: {
    summary: "train with SQA and without on MNIST, attack, and show the result beside the paper's",
    load: async () => (await import("./commands/demo.js")).demoCommand,
  },
  train: { summary: "train a model", load: async () => (await import("./commands/train.js")).trainCommand },
  evaluate: {
    summary: "measure a model's accuracy on clean images and under attacks",
    load: async () => (await import("./commands/evaluate.js")).evaluateCommand,
  },
  audit: {
    summary: "tell whether a model's claimed robustness is real",
    answersByCode: true,
    load: async () => (await import("./commands/audit.js")).auditCommand,
  },
  merge: {
    summary: "make the result of an audit, evaluation or table from its shards",
    answersByCode: true,
    load: async () => (await import("./commands/merge.js")).mergeCommand,
  },
  report: {
    summary: "turn an audit's report into a page, SARIF, JUnit, CycloneDX, Markdown or a model card",
    load: async () => (await import("./commands/report.js")).reportCommand,
  },
  paper: {
    summary: "make a table or figure of the paper",
    load: async () => (await import("./commands/paper.js")).paperMenu,
  },
  density: {
    summary: "train the density model of PixelDefend on a data set's images",
    load: async () => (await import("./commands/parts/density.js")).densityCommand,
  },
  denoiser: {
    summary: "train a guided denoiser for the model of a run",
    load: async () => (await import("./commands/parts/denoiser.js")).denoiserCommand,
  },
  dashboard: {
    summary: "show runs, audits and tables in a browser",
    load: async () => (await import("./commands/dashboard.js")).dashboardCommand,
  },
  data: {
    summary: "fetch a data set that is published as an archive",
    load: async () => (await import("./commands/data.js")).dataCommand,
  },
  import: {
    summary: "read PyTorch weights (.pt, .pth) and write them as safetensors",
    load: async () => (await import("./commands/import.js")).importCommand,
  },
  export: {
    summary: "write a model as ONNX (.onnx), as weights (.safetensors), or as a copy of its .pt2 file",
    load: async () => (await import("./commands/export.js")).exportCommand,
  },
  list: {
    summary: "list attacks, models, data sets and the like with their options, presets, and runs",
    load: async () => (await import("./commands/list.js")).listCommand,
  },
  doctor: {
    summary: "say what this machine offers, and what is missing",
    load: async () => (await import("./commands/doctor.js")).doctorCommand,
  },
  setup: {
    summary: "build the native addon for a libtorch of your own, such as one with CUDA",
    load: async () => (await import("./commands/setup.js")).setupCommand,
  },
  completion: {
    summary: "print a script that completes commands and options in a shell",
    load: async () => (await import("./commands/completion.js")).completionCommand,
  },
  version: {
    summary: "show the version",
    load: async () => (await import("./commands/version.js")).versionCommand,
  },
};

/** Runs `sqa` with the words after its name and returns the exit code, one of `exitCode`. */
export async function main(words: readonly string[], table: CommandTable = commands): Promise<number> {
  const restore = configureOutput({});
  using interrupt = interruptible();
  let notStopped = () => {};
  let name = "sqa";
  const failure = failureOf(words, table);
  try {
    const choice = await choose(program(table), words);
    if (choice === undefined) return exitCode.done;
    const { command, rest, imports } = choice;
    name = `sqa ${command.name}`;
    const { runCommand } = await import("./frame/run-command.js");
    if (command.endsAtOnce === true) interrupt[Symbol.dispose]();
    else notStopped = stoppedBy(interrupt.stop);
    const code = await runCommand(command, rest, { signal: interrupt.signal, commands: table, imports });
    return code === exitCode.done ? (interrupt.code ?? exitCode.done) : code;
  } catch (error) {
    removeLiveLines();
    if (interrupt.code !== undefined && isAbort(error)) return interrupt.code;
    return reportError(error, name, words.includes("--debug"), failure);
  } finally {
    notStopped();
    removeLiveLines();
    restore();
  }
}

/** Runs `sqa` as this process. */
export async function runProcess(): Promise<void> {
  const failure = failureOf(process.argv.slice(2));
  watchOutput(failure);
  // Of a module's timer, for example: nobody waits for it.
  process.on("uncaughtException", (error) => {
    removeLiveLines();
    reportError(error, "sqa", process.argv.includes("--debug"));
    endProcess("an error", { atOnce: failure, saved: failure });
  });
  process.exitCode = await main(process.argv.slice(2));
}

/** Exit code of an error that has none of its own, known before anything is loaded. */
function failureOf(words: readonly string[], table: CommandTable = commands): number {
  const { word } = splitWords(words);
  const entry = word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
  return entry?.answersByCode === true ? exitCode.broken : exitCode.failed;
}

function program(table: CommandTable): Menu {
  return {
    name: "sqa",
    description:
      "Train image classifiers that resist adversarial examples, and measure honestly how robust they are.",
    thing: "command",
    showsHelp: true,
    commands: () => table,
    examples: [],
    version: packageVersion(),
  };
}

function reportError(
  error: unknown,
  program: string,
  debug: boolean,
  failure: number = exitCode.failed,
): number {
  const { red } = colors("stderr");
  const message = messageOf(error);
  warn(`${red("error:")} ${message === "" && error instanceof Error ? error.name : message}`);
  for (let at = error; debug && at instanceof Error; at = at.cause) warn(at.stack ?? "");
  if (error instanceof MissingFileError) return exitCode.missing;
  if (error instanceof FileFormatError) return exitCode.data;
  if (!(error instanceof UsageError)) return failure;
  warn(`see ${error.program ?? program} --help`);
  return exitCode.usage;
}

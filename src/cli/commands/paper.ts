import * as z from "zod";
import { EndedProcessError } from "../../engine/index.js";
import { shardText } from "../../evaluation/index.js";
import { changedOptions, type Definition } from "../../options/index.js";
import { checkEarlier, runTable, runTableShard, type Table, tables } from "../../paper/index.js";
import {
  type Command,
  type CommandContext,
  type CommandEntry,
  defineCommand,
  type Menu,
} from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { sayEnded, sayWritten } from "../frame/look.js";
import { kebabCase } from "../frame/option-names.js";
import { out } from "../frame/output.js";
import { deviceOption, jobsOption, runOptions, textOption } from "../frame/run-options.js";
import { asUsage, prepareFolder } from "../frame/usage-error.js";
import { commandText } from "../frame/words/command-text.js";
import { showTableWork, tableText } from "./paper/table-display.js";
import { keepTableShard } from "./paper/table-shard.js";
import { shardOf, shardOption } from "./shards/shard-options.js";

/** Options of every table, beside its own. */
const workOptions = {
  results: textOption("FOLDER").default("results").describe("folder of the table's files"),
  force: z
    .boolean()
    .default(false)
    .describe("replace files of these names even if no earlier table wrote them"),
  ...runOptions,
  jobs: jobsOption,
  device: deviceOption,
  shard: shardOption,
};

type WorkOptions = z.output<z.ZodObject<typeof workOptions>>;

/** Makes a table; work of which a process was killed can go on, as what was stopped. */
async function make(
  definition: Definition<Table>,
  given: WorkOptions & Record<string, unknown>,
  context: CommandContext,
): Promise<number> {
  try {
    return await makeTable(definition, given, context);
  } catch (error) {
    if (!(error instanceof EndedProcessError)) throw error;
    sayEnded([error]);
    return exitCode.stopped;
  }
}

async function makeTable(
  definition: Definition<Table>,
  { results, force, runs, threads, jobs, device, shard: text, ...own }: WorkOptions & Record<string, unknown>,
  { signal, imports }: CommandContext,
): Promise<number> {
  const shard = shardOf({ shard: text, jobs: 1 });
  prepareFolder("--results", results);
  const options = changedOptions(definition.options, own);
  const how = { runs, threads, jobs, device, imports, signal };
  if (shard !== undefined) {
    const work = asUsage(() => runTableShard(definition, options, { ...how, shard, folder: results }));
    const table = String(definition.make(options));
    const request = { command: "paper" as const, operands: [table], options: { runs, device }, imports };
    const given = { ...options, runs, device, results, threads, jobs, shard: shardText(shard) };
    const schema = z.strictObject({ ...definition.options.shape, ...workOptions });
    const line = commandText(`paper ${definition.name}`, [], given, schema, { imports });
    return keepTableShard(work, { shard, request, text: line });
  }
  const write = { replace: force };
  asUsage(() => checkEarlier(definition.make(options), results, write));
  const work = asUsage(() => runTable(definition, options, how));
  const { result } = await showTableWork(work);
  if (result === undefined) return exitCode.done;
  out(tableText(result));
  for (const file of await result.write(results, write)) sayWritten(file);
  return exitCode.done;
}

/** Command of a table: its options are the table's own, and those of the work. */
function commandOf(definition: Definition<Table>): Command {
  const { name, summary, options } = definition;
  return defineCommand({
    name: `paper ${name}`,
    summary,
    description:
      `${summary[0]!.toUpperCase()}${summary.slice(1)}. The same command resumes a stopped table; ` +
      "what is already in the run folders is not repeated.",
    options: z.strictObject({ ...options.shape, ...workOptions }),
    examples: [`sqa paper ${kebabCase(name)} --results my-results`],
    run: (given, context) => make(definition, given as WorkOptions, context),
  }) as unknown as Command;
}

/** `sqa paper`: the tables and figures of the paper, and those that modules register. */
export const paperMenu: Menu = {
  name: "sqa paper",
  description:
    "Make a table or figure of the paper: train its runs, attack them, and write the result beside the " +
    "paper's. The same command resumes a stopped table.",
  thing: "table",
  commands: () =>
    Object.fromEntries(
      tables.definitions.map((definition): [string, CommandEntry] => [
        definition.name,
        { summary: definition.summary, load: async () => commandOf(definition) },
      ]),
    ),
  examples: [
    "sqa paper table1",
    "sqa paper table1 --model small --epochs 20 --seeds 3 --full-seeds 1",
    "sqa paper figure2 --preset mnist-short",
    "sqa paper table1 --shard 2/4",
    "sqa paper table2 --model 'resnet18(width=16)' --epochs 15 --precision bfloat16",
    "sqa paper speed --model resnet18 --epochs 15 --device cuda --precision bfloat16",
  ],
};

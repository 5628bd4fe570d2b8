import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import { isModuleFile, loadUserModule, refuseForeign, writeFileAtomic } from "../../base/index.js";
import { setThreads } from "../../engine/index.js";
import {
  checkFacts,
  gatherShards,
  mergeAudit,
  mergeEvaluation,
  type ShardSet,
} from "../../evaluation/index.js";
import { checkEarlier, mergeTable, tableOfShards } from "../../paper/index.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { imagesFrom, prepareWithBar } from "../frame/inputs/images-from.js";
import { sayWritten } from "../frame/look.js";
import { note, out } from "../frame/output.js";
import { runOptions, textOption } from "../frame/run-options.js";
import { asUsage, prepareFolder } from "../frame/usage-error.js";
import { auditOptions } from "./audit/audit-options.js";
import { openAudit } from "./audit/open-audit.js";
import { withBar } from "./audit/progress.js";
import { refuseForeignFiles, refuseOtherReport, showReport } from "./audit/show-report.js";
import { evaluateOptions } from "./evaluate/evaluate-options.js";
import { evaluated, evaluationsJson, isEvaluationFile, showEvaluations } from "./evaluate/evaluated.js";
import { evaluationOptions, subjectOf } from "./evaluate/subject.js";
import { TableDisplay, tableText } from "./paper/table-display.js";
import { versionFacts } from "./shards/shard-record.js";

const options = z.strictObject({
  out: textOption("FOLDER")
    .optional()
    .describe(
      "folder of the result (default: an audit's first folder, the results of a table; " +
        "evaluations are shown alone)",
    ),
  trustModules: z
    .boolean()
    .default(false)
    .describe("load the module files that the shards name: they run as code"),
  force: z
    .boolean()
    .default(false)
    .describe("replace files in that folder even if no earlier result wrote them"),
  threads: runOptions.threads,
  verbose: z.boolean().default(false).describe("show the evidence of passed checks, and attacks in full"),
  json: z.boolean().default(false).describe("print JSON in place of the report"),
});
type Options = z.output<typeof options>;

/** Module files that shards name are code, and not for a file to choose. */
async function loadModules({ request }: ShardSet, { trustModules }: Options): Promise<void> {
  const { architecture, images, surrogate } = request.options;
  const named = [...request.operands, architecture, images, surrogate].flat();
  const modules = named.filter((text): text is string => typeof text === "string" && isModuleFile(text));
  const all = [...request.imports, ...modules];
  if (all.length > 0 && !trustModules) {
    throw new Error(`the shards name modules, which run as code: ${all.join(", ")}; give --trust-modules`);
  }
  for (const file of request.imports) await loadUserModule(file);
}

async function mergedAudit(shards: ShardSet, given: Options, signal: AbortSignal): Promise<number> {
  const { folders, request, id } = shards;
  const { options, operands, imports } = request;
  const opened = await openAudit(auditOptions.parse(options), operands[0]!, { signal, imports });
  const folder = given.out ?? folders[0]!;
  if (!given.force) {
    refuseForeignFiles(folder, opened);
    refuseOtherReport(folder, id);
  }
  const work = mergeAudit(opened.model, opened.images, opened.options, shards);
  for await (const _ of withBar(work));
  return showReport(await work, folder, given);
}

const evaluationName = "evaluation.json";

/** Refuses a folder whose evaluation.json is of no evaluation. */
function refuseOtherEvaluation(folder: string): void {
  const file = join(folder, evaluationName);
  const own = existsSync(file) && isEvaluationFile(file) ? [evaluationName] : [];
  asUsage(() => refuseForeign(folder, [evaluationName], new Set(own)));
}

async function mergedEvaluation(shards: ShardSet, given: Options, signal: AbortSignal): Promise<number> {
  const { request } = shards;
  if (given.out !== undefined && !given.force) refuseOtherEvaluation(given.out);
  const asked = evaluateOptions.parse(request.options);
  const images = await imagesFrom(asked.images);
  const subject = await subjectOf(request.operands[0]!, asked, images);
  const split = subject.images[asked.split];
  await prepareWithBar(split, asked.limit, signal);
  const options = { ...evaluationOptions(asked, subject), signal };
  const work = mergeEvaluation(subject.opened.model, split, options, shards);
  const one = await evaluated(subject, work, asked, "merge");
  if (given.out !== undefined) {
    const file = join(given.out, evaluationName);
    writeFileAtomic(file, `${evaluationsJson([one])}\n`);
    sayWritten(file);
  }
  return showEvaluations([one], given) ? exitCode.failed : exitCode.done;
}

async function mergedTable(shards: ShardSet, given: Options, signal: AbortSignal): Promise<number> {
  const folder = given.out ?? dirname(shards.folders[0]!);
  const write = { replace: given.force };
  asUsage(() => checkEarlier(tableOfShards(shards), folder, write));
  const work = mergeTable(shards, { signal });
  using display = new TableDisplay();
  for await (const event of work) display.show(event);
  const result = await work;
  out(given.json ? JSON.stringify(result) : tableText(result));
  for (const file of await result.write(folder, write)) sayWritten(file);
  return exitCode.done;
}

const merged = { audit: mergedAudit, evaluate: mergedEvaluation, paper: mergedTable };

async function run(given: Options, { operands, signal }: CommandContext): Promise<number> {
  if (given.threads !== undefined) setThreads(given.threads);
  const shards = gatherShards(operands);
  checkFacts(shards, versionFacts());
  if (given.out !== undefined) prepareFolder("--out", given.out);
  await loadModules(shards, given);
  if (shards.machines.length > 1)
    note(`shards of different machines may differ in last bits: ${shards.machines.join("; ")}`);
  return merged[shards.command](shards, given, signal);
}

/** `sqa merge`: the result of shards. */
export const mergeCommand = defineCommand({
  name: "merge",
  summary: "make the result of an audit, evaluation or table from its shards",
  description:
    "Make the result of an audit, evaluation or table from the shards that --shard wrote. It is that of " +
    "one process, except for measured times. Shards of different models, images, versions or options are " +
    "refused, and missing ones are named. Run it in the folder that the shards were run in: it opens the " +
    "model, the images and a table's runs by the same paths.",
  operands: [
    { name: "folder", description: "folder of shards, or one that holds such folders", variadic: true },
  ],
  options,
  examples: ["sqa merge runs/NAME/audit-standard-1a2b3c4d", "sqa merge shards/* --out merged --json"],
  run,
});

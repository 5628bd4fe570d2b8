import { rmSync } from "node:fs";
import { checkDevice, setThreads } from "../../engine/index.js";
import { evaluate, evaluateShard, FolderStore, hasManifests } from "../../evaluation/index.js";
import { type CommandContext, defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { imagesFrom, prepareWithBar } from "../frame/inputs/images-from.js";
import { modelForms } from "../frame/inputs/model-from.js";
import { refuseIgnored } from "../frame/inputs/told-options.js";
import { asUsage, UsageError } from "../frame/usage-error.js";
import { type EvaluateCommandOptions, evaluateOptions } from "./evaluate/evaluate-options.js";
import { evaluated, showEvaluations } from "./evaluate/evaluated.js";
import type { Evaluated } from "./evaluate/evaluation-text.js";
import { KeptTrials } from "./evaluate/kept-trials.js";
import { evaluationOptions, evaluationParent, type Subject, subjectOf } from "./evaluate/subject.js";
import { runJobs } from "./shards/jobs.js";
import { keepShard } from "./shards/keep-shard.js";
import { type Request, requestOf, shardCommand } from "./shards/request.js";
import { shardOf } from "./shards/shard-options.js";

async function run(given: EvaluateCommandOptions, context: CommandContext): Promise<number> {
  const { operands, signal } = context;
  const shard = shardOf(given);
  const isShared = shard !== undefined || given.jobs > 1;
  if (isShared && operands.length > 1)
    throw new UsageError("give one model with --shard or --jobs: several are evaluated one after the other");
  if (given.threads !== undefined) setThreads(given.threads);
  asUsage(() => checkDevice(given.device));
  const images = await imagesFrom(given.images);
  const subjects: Subject[] = [];
  for (const text of operands) subjects.push(await subjectOf(text, given, images));
  refuseIgnored(
    subjects.map(({ opened }, i) => [operands[i]!, opened]),
    given,
  );
  const request = requestOf("evaluate", given, context);
  if (shard !== undefined) {
    const [subject] = subjects;
    const { expectClean: _, ...options } = evaluationOptions(given, subject!);
    const split = subject!.images[given.split];
    await prepareWithBar(split, given.limit, signal);
    const place = { shard, folder: evaluationParent(given, subject!), signal };
    const work = evaluateShard(subject!.opened.model, split, { ...options, ...place });
    const call = { shard, request, text: shardCommand(request, shard, evaluateOptions) };
    return keepShard(work, call, given);
  }
  const all: Evaluated[] = [];
  const kept = new KeptTrials(request, signal);
  for (const [i, subject] of subjects.entries()) {
    await prepareWithBar(subject.images[given.split], given.limit, signal);
    const label = subjects.length === 1 ? "evaluate" : subject.opened.name;
    const one =
      given.jobs > 1
        ? await evaluatedByJobs(subject, given, request, signal)
        : await kept.run(operands[i]!, evaluationParent(given, subject), (store) =>
            evaluated(subject, workOf(subject, given, { store, signal }), given, label),
          );
    if (one === undefined) return exitCode.stopped;
    all.push(one);
  }
  const failed = showEvaluations(all, given);
  kept.forget();
  return failed ? exitCode.failed : exitCode.done;
}

function workOf(
  subject: Subject,
  given: EvaluateCommandOptions,
  changes: Partial<Parameters<typeof evaluate>[2]>,
) {
  const options = { ...evaluationOptions(given, subject), ...changes };
  return evaluate(subject.opened.model, subject.images[given.split], options);
}

/** Evaluation by several processes; undefined where one of them was killed. */
async function evaluatedByJobs(
  subject: Subject,
  given: EvaluateCommandOptions,
  request: Request,
  signal: AbortSignal,
): Promise<Evaluated | undefined> {
  const folder = evaluationParent(given, subject);
  const done = await runJobs({ request, folder, jobs: given.jobs, threads: given.threads }, signal);
  if (done === undefined) return undefined;
  const store = new FolderStore(done.folder);
  const batchSize = Number(done.facts["batch size"]);
  const one = await evaluated(
    subject,
    workOf(subject, given, { store, batchSize, signal }),
    given,
    "evaluate",
  );
  // Shards of the same evaluation may lie there too, for a merge.
  const isUnused = given.out === undefined && !hasManifests(done.folder);
  if (isUnused) rmSync(done.folder, { recursive: true, force: true });
  return one;
}

/** `sqa evaluate`: accuracy of models on clean images and under attacks. */
export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: "measure a model's accuracy on clean images and under attacks",
  description:
    "Measure a model's accuracy on clean images and under attacks. A randomized model is judged by fresh " +
    "draws of its noise, which no attack saw. Several models are compared. The same command resumes a " +
    "stopped evaluation.",
  operands: [
    {
      name: "model",
      description: modelForms,
      variadic: true,
    },
  ],
  options: evaluateOptions,
  examples: [
    "sqa evaluate runs/NAME",
    "sqa evaluate runs/NAME runs/OTHER --limit 1000 --attack 'pgd(epsilon=0.3, steps=40)'",
    "sqa evaluate W.safetensors --architecture resnet18 --images cifar10 --attack 'apgd(epsilon=8/255)' " +
      "--json",
    "sqa evaluate runs/NAME --attack 'autoattack(epsilon=0.3)' --jobs 4",
    "sqa evaluate runs/NAME --surrogate noise-free --attack 'pgd(epsilon=0.2)'",
  ],
  run,
});

import { checkDevice, setThreads } from "../../engine/index.js";
import { evaluate, evaluateShard } from "../../evaluation/index.js";
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
import { requestOf, shardCommand } from "./shards/request.js";
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
  const kept = new KeptTrials(signal);
  for (const subject of subjects) {
    await prepareWithBar(subject.images[given.split], given.limit, signal);
    const label = subjects.length === 1 ? "evaluate" : subject.opened.name;
    const parent = evaluationParent(given, subject);
    const { jobs, threads } = given;
    const done = jobs > 1 ? await runJobs({ request, folder: parent, jobs, threads }, signal) : undefined;
    if (jobs > 1 && done === undefined) return exitCode.stopped;
    // What jobs have done is all found in the folder.
    const batchSize = Number(done?.facts["batch size"] ?? given.batchSize);
    const one = await kept.run(parent, (folder, begun) => {
      const options = { ...evaluationOptions(given, subject), batchSize, folder, signal };
      const work = evaluate(subject.opened.model, subject.images[given.split], options);
      return evaluated(subject, work, given, label, begun);
    });
    all.push(one);
  }
  const failed = showEvaluations(all, given);
  kept.forget();
  return failed ? exitCode.failed : exitCode.done;
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

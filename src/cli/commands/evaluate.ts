import { existsSync } from "node:fs";
import * as z from "zod";
import { type Attack, attacks as attackKind } from "../../attacks/index.js";
import type { Dataset } from "../../datasets/index.js";
import { checkDevice, setThreads } from "../../engine/index.js";
import { type EvaluationEvent, evaluate } from "../../evaluation/index.js";
import type { Model } from "../../models/index.js";
import { usualAttacks } from "../../training/index.js";
import { defineCommand } from "../frame/command.js";
import { checkFits, imagesFrom, prepareWithBar } from "../frame/inputs/images-from.js";
import {
  architectureOption,
  defenseOptions,
  defensesOf,
  expectCleanOption,
  exportedOptions,
  imagesOption,
  listOption,
  weightsOptions,
} from "../frame/inputs/input-options.js";
import { type ModelChoice, modelForms, type OpenedModel, openModel } from "../frame/inputs/model-from.js";
import { note, out } from "../frame/output.js";
import { withProgress } from "../frame/progress.js";
import { deviceOption, runOptions } from "../frame/run-options.js";
import { asUsage, UsageError, usageUntilBegun } from "../frame/usage-error.js";
import { attackNames } from "../frame/words/attack-name.js";
import {
  comparisonTable,
  type Evaluated,
  evaluationJson,
  evaluationTable,
} from "./evaluate/evaluation-text.js";

const options = z.strictObject({
  architecture: architectureOption.optional().describe("architecture of weights, or of a run's own model"),
  images: imagesOption
    .optional()
    .describe("images to evaluate on, by name or path (default: those of the run)"),
  split: z.enum(["test", "train", "all"]).default("test").describe("split of the images"),
  limit: z.int().min(1).optional().describe("number of images, the first ones (default: all)"),
  ...weightsOptions,
  expectClean: expectCleanOption,
  ...defenseOptions,
  ...exportedOptions,
  attack: listOption(attackKind.option())
    .optional()
    .describe(
      "attack; none for clean accuracy alone (default: FGSM and PGD of 20 steps at the epsilon that the " +
        "run trained for, else at the images' usual radius)",
    ),
  surrogate: z
    .string()
    .min(1)
    .meta({ placeholder: "NAME|MODEL" })
    .optional()
    .describe(
      "attacked in the model's place, which is shown the result: one of its surrogates, or another model",
    ),
  draws: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe("fresh draws of a randomized model for each image; 10 are three times as quick"),
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  batchSize: z.int().min(1).default(500).describe("images attacked together; results do not depend on it"),
  threads: runOptions.threads,
  device: deviceOption,
  verbose: z.boolean().default(false).describe("name attacks by all their options"),
  json: z.boolean().default(false).describe("print JSON: an object, or a list of several models'"),
});
type Options = z.output<typeof options>;

/** Model with the images, the attacks and the surrogate that it is evaluated with. */
interface Subject {
  readonly opened: OpenedModel;
  readonly images: Dataset;
  readonly attacks: readonly Attack[];
  readonly surrogate?: Model | string | undefined;
}

/** Attacks at the radius that a run trained for, or that is usual for the images. */
function defaultAttacks({ run }: OpenedModel, images: Dataset): Attack[] {
  const epsilon = run?.config.method.epsilon ?? images.epsilon;
  if (epsilon !== undefined) return usualAttacks(epsilon);
  throw new UsageError(`give --attack, such as 'pgd(epsilon=8/255)': ${images} has no usual radius`);
}

async function surrogateOf(given: Options, { model }: OpenedModel, choice: ModelChoice) {
  const { surrogate } = given;
  if (surrogate === undefined) return undefined;
  const names = Object.keys(model.classifier().surrogates ?? {});
  if (names.includes(surrogate)) return surrogate;
  if (!existsSync(surrogate)) {
    const own = names.length === 0 ? "has none of its own" : `has ${names.join(", ")}`;
    throw new UsageError(
      `--surrogate ${surrogate}: model ${model.name} ${own}, and there is no such file or folder`,
    );
  }
  const { run, model: other } = await openModel(surrogate, { images: choice.images });
  if (run?.finished === false)
    note(`${run.path} is not finished: its checkpoint after step ${run.steps} is attacked`);
  return other;
}

async function subjectOf(text: string, given: Options, images: Dataset | undefined): Promise<Subject> {
  const choice = { ...given, images, defenses: defensesOf(given) };
  const opened = await openModel(text, choice);
  const { run, model } = opened;
  const shown = images ?? run?.config.data;
  if (shown === undefined)
    throw new UsageError(`give --images, such as mnist: ${text} is no run, which knows its own`);
  checkFits(model, shown);
  if (run?.finished === false)
    note(`${run.path} is not finished: its checkpoint after step ${run.steps} is evaluated`);
  const attacks = given.attack ?? defaultAttacks(opened, shown);
  return { opened, images: shown, attacks, surrogate: await surrogateOf(given, opened, choice) };
}

/** Passes events on, and shows a bar over the clean images and those of each attack. */
function withBar(events: AsyncIterable<EvaluationEvent>, label: string, attacks: number) {
  let finished = 0;
  return withProgress(events, { label }, (event) => {
    if (event.type !== "progress") {
      finished++;
      return undefined;
    }
    const { attack, done, images } = event;
    const metrics = attack === "clean" ? {} : { under: attackNames([attack]).get(attack)! };
    return { done: finished * images + done, total: (attacks + 1) * images, metrics };
  });
}

async function evaluated(
  subject: Subject,
  given: Options,
  label: string,
  signal: AbortSignal,
): Promise<Evaluated> {
  const { opened, images, attacks, surrogate } = subject;
  const { limit, draws, seed, batchSize, device, expectClean } = given;
  const split = images[given.split];
  await prepareWithBar(split, limit, signal);
  const work = evaluate(opened.model, split, {
    attacks,
    limit,
    draws,
    seed,
    batchSize,
    device,
    surrogate,
    expectClean,
    signal,
  });
  for await (const _ of withBar(usageUntilBegun(work), label, attacks.length));
  const { name, run, file, model } = opened;
  const steps = run?.finished === false ? { steps: run.steps } : {};
  return {
    name,
    evaluation: await work,
    defenses: model.defenses.map(String),
    data: split.name,
    seed,
    surrogate: given.surrogate,
    origin: run === undefined ? { file } : { run: { path: run.path, finished: run.finished, ...steps } },
  };
}

async function run(given: Options, texts: readonly string[], signal: AbortSignal): Promise<number> {
  if (given.threads !== undefined) setThreads(given.threads);
  asUsage(() => checkDevice(given.device));
  const images = given.images === undefined ? undefined : await imagesFrom(given.images);
  const subjects: Subject[] = [];
  for (const text of texts) subjects.push(await subjectOf(text, given, images));
  const all: Evaluated[] = [];
  for (const subject of subjects) {
    const label = subjects.length === 1 ? "evaluate" : subject.opened.name;
    all.push(await evaluated(subject, given, label, signal));
  }
  const [first] = all;
  if (given.json) out(JSON.stringify(all.length === 1 ? evaluationJson(first!) : all.map(evaluationJson)));
  else {
    const { verbose } = given;
    const tables = all.map((one) => evaluationTable(one, verbose));
    out([...tables, ...(all.length === 1 ? [] : [comparisonTable(all, verbose)])].join("\n\n"));
  }
  const hasFailed = all.some(({ evaluation }) => evaluation.attacks.some(({ error }) => error !== undefined));
  return hasFailed ? 1 : 0;
}

/** `sqa evaluate`: accuracy of models on clean images and under attacks. */
export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: "measure a model's accuracy on clean images and under attacks",
  description:
    "Measure a model's accuracy on clean images and under attacks. A randomized model is judged by fresh " +
    "draws of its noise, which no attack saw. Several models are compared.",
  operands: [
    {
      name: "model",
      description: modelForms,
      variadic: true,
    },
  ],
  options,
  endsAtOnce: true,
  examples: [
    "sqa evaluate runs/NAME",
    "sqa evaluate runs/NAME runs/OTHER --limit 1000 --attack 'pgd(epsilon=0.3, steps=40)'",
    "sqa evaluate W.safetensors --architecture resnet18 --images cifar10 --attack 'apgd(epsilon=8/255)' " +
      "--json",
    "sqa evaluate runs/NAME --surrogate noise-free --attack 'pgd(epsilon=0.2)'",
  ],
  run: (given, { operands, signal }) => run(given, operands, signal),
});

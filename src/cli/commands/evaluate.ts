import { existsSync } from "node:fs";
import * as z from "zod";
import { parseAttack, shortLabel } from "../../attacks/index.js";
import { type Dataset, datasetByName, type Split, subset } from "../../datasets/index.js";
import { checkDevice, setThreads } from "../../engine/index.js";
import {
  type Evaluation,
  type EvaluationEvent,
  evaluate,
  networkFromRun,
  networkFromWeights,
  type OpenedNetwork,
} from "../../evaluation/index.js";
import { type Model, parseNetwork } from "../../models/index.js";
import type { Classifier } from "../../nn/index.js";
import { readBy } from "../../options/read-by.js";
import { table1Columns } from "../../paper/index.js";
import { dataOptions } from "../data-options.js";
import { evaluationJson, evaluationTable } from "../evaluation-text.js";
import { defineCommand } from "../frame/command.js";
import { note, out } from "../frame/output.js";
import { withProgress } from "../frame/progress.js";
import { asUsage, UsageError } from "../frame/usage-error.js";
import { quantizationOf, sqaOption } from "../network-options.js";
import { deviceOption, runOptions } from "../run-options.js";

/** Table 1's attacks, the paper's. */
const defaultAttacks = table1Columns.flatMap(({ attack, paper }) => (attack !== undefined && paper ? [attack] : []));

const options = z.strictObject({
  weights: z.string().min(1).meta({ placeholder: "FILE" }).optional().describe("safetensors file, in place of a run"),
  network: readBy("a network such as small or resnet18(classes=100)", parseNetwork)
    .optional()
    .describe("network that the weights are of (default: small)"),
  sqa: sqaOption,
  dataset: readBy("a data set such as mnist", datasetByName)
    .optional()
    .describe("which images (default: the run's, else mnist)"),
  data: dataOptions.data,
  split: z.enum(["test", "train"]).default("test").describe("which of the data set's images"),
  limit: z.int().min(1).optional().describe("only the first images"),
  attack: z
    .array(readBy("an attack such as pgd(epsilon=8/255, steps=7)", parseAttack))
    .default([])
    .describe("what to attack with; by default the paper's attacks at 0.2 and 0.3"),
  transferFrom: z
    .string()
    .min(1)
    .meta({ placeholder: "twin | RUN" })
    .optional()
    .describe("attack another network and show this one the result: the twin, with SQA off, or a run folder's"),
  draws: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe("fresh draws of a randomized network for each image; 10 are three times as quick"),
  seed: z.int().min(0).default(0).describe("seed of all noise"),
  batchSize: z.int().min(1).default(500).describe("images attacked together; no result depends on it"),
  threads: runOptions.threads,
  device: deviceOption,
  json: z.boolean().default(false).describe("print one JSON object"),
});
type Options = z.output<typeof options>;

function openNetwork(given: Options, operand: string | undefined): OpenedNetwork {
  const sqa = quantizationOf(given.sqa);
  if (operand === undefined) {
    if (given.weights === undefined) throw new UsageError("give a run folder or --weights FILE");
    return networkFromWeights(given.weights, {
      network: given.network ?? "small",
      sqa: sqa ?? undefined,
    });
  }
  const known = (["weights", "network"] as const).find((name) => given[name] !== undefined);
  if (known !== undefined) {
    const mistyped = given.sqa === true ? "; --sqa takes none, sqa or sqa(...)" : "";
    throw new UsageError(`--${known} cannot go with a run folder (${operand}), which knows its own${mistyped}`);
  }
  const opened = networkFromRun(operand, { sqa: given.sqa === true ? undefined : sqa });
  // --sqa alone keeps the run's own placement; a run without one gets the paper's.
  return given.sqa === true && opened.run?.config.sqa === null ? networkFromRun(operand, { sqa: {} }) : opened;
}

/** The network that attacks are made on, where it is another than the evaluated one. */
function surrogateOf({ transferFrom, device }: Options, model: Model): Classifier | undefined {
  if (transferFrom === undefined) return undefined;
  if (transferFrom === "twin") {
    if (model.classifier().randomized) return model.classifier({ quantization: false });
    throw new UsageError("--transfer-from twin needs a randomized network: without SQA it is its own twin; add --sqa");
  }
  if (!existsSync(transferFrom)) {
    throw new UsageError(`--transfer-from ${transferFrom}: neither "twin" nor a run folder`);
  }
  const { model: other, run } = networkFromRun(transferFrom);
  if (other.inputShape.join() !== model.inputShape.join() || other.classes !== model.classes) {
    throw new UsageError(`--transfer-from ${transferFrom}: its network takes other images or has other classes`);
  }
  if (run?.finished === false) note(`${run.path} is not finished: its checkpoint after step ${run.steps} is attacked`);
  other.module.to(device);
  return other.classifier();
}

function loadSplit(given: Options, dataset: Dataset): Split {
  const split = dataset[given.split];
  const { limit = split.count } = given;
  if (limit > split.count) {
    throw new UsageError(`--limit ${limit}: the ${given.split} split of ${dataset.name} has ${split.count} images`);
  }
  return subset(split, limit);
}

async function run(given: Options, operand: string | undefined, signal: AbortSignal): Promise<number> {
  if (given.threads !== undefined) setThreads(given.threads);
  const device = asUsage(() => checkDevice(given.device));
  const { model, run: source } = asUsage(() => openNetwork(given, operand));
  model.module.to(device);
  const definition = datasetByName(given.dataset ?? source?.config.dataset ?? "mnist");
  if (definition.imageShape.join() !== model.inputShape.join()) {
    const [wanted, found] = [model.inputShape, definition.imageShape].map((shape) => shape.join(" x "));
    throw new UsageError(
      `network ${model.network} takes images of ${wanted}, data set ${definition.name} has ${found}`,
    );
  }
  // Images of the user's own need not be the official ones.
  const dataset = definition.load(given.data === undefined ? {} : { folder: given.data, checksums: false });
  const split = loadSplit(given, dataset);
  const classifier = model.classifier();
  const surrogate = surrogateOf(given, model);
  if (source?.finished === false) {
    note(`${source.path} is not finished: its checkpoint after step ${source.steps} is evaluated`);
  }
  const attackTexts = given.attack.length > 0 ? given.attack : defaultAttacks;
  const attacks = attackTexts.map(parseAttack);
  const { draws, seed, batchSize } = given;
  const events = evaluate(classifier, split, { attacks, draws, seed, batchSize, surrogate, device, signal });
  const evaluation = await withBar(events, attacks.length);
  const subject = { ...given, network: model.network, model, source, dataset: dataset.name, attackTexts };
  out(given.json ? JSON.stringify(evaluationJson(evaluation, subject)) : evaluationTable(evaluation, subject));
  return 0;
}

async function withBar(events: AsyncIterable<EvaluationEvent>, attacks: number): Promise<Evaluation> {
  let finished = 0;
  const shown = withProgress(events, { label: "evaluate" }, (event) => {
    if (event.type === "end") return undefined;
    const { attack, done, images } = event;
    const before = finished * images;
    if (done === images) finished++;
    const under = attack === "clean" ? {} : { under: shortLabel(attack) };
    return { done: before + done, total: (attacks + 1) * images, metrics: under };
  });
  for await (const event of shown) if (event.type === "end") return event.evaluation;
  throw new Error("the evaluation ended without a result");
}

/** `sqa evaluate`: accuracy of a run's network, or of weights, on clean images and under attacks. */
export const evaluateCommand = defineCommand({
  name: "evaluate",
  summary: "measure a network's accuracy on clean images and under attacks",
  description:
    "Measure a network's accuracy on clean images and under attacks. A randomized network is judged by fresh draws of its noise, other than those that an attack saw.",
  operands: [{ name: "run", description: "run folder, whose network is evaluated", optional: true }],
  options,
  endsAtOnce: true,
  examples: [
    "sqa evaluate runs/mnist-small-sqa-fgsm-seed0-6b05f408",
    'sqa evaluate --network small --sqa --weights W.safetensors --limit 1000 --attack "pgd(epsilon=0.3, steps=40)" --json',
    'sqa evaluate runs/NAME --transfer-from twin --attack "pgd(epsilon=0.2)"',
  ],
  run: (given, { operands, signal }) => run(given, operands[0], signal),
});

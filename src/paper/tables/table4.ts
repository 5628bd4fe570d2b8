import { setImmediate as turn } from "node:timers/promises";
import * as z from "zod";
import { fittedForwardBackward, predictedSeconds } from "../../analysis/index.js";
import { type Steps, wordStream } from "../../base/index.js";
import { type Dataset, imagesOf } from "../../datasets/index.js";
import { sqa } from "../../defenses/index.js";
import { type Architecture, resnet18, resnet34 } from "../../models/index.js";
import { precisions } from "../../nn/index.js";
import { TrainingSession, trainConfig } from "../../training/index.js";
import { expected } from "../expected.js";
import { architecture } from "../options.js";
import { machineSchema } from "../runner/share-machine.js";
import { defineTable, type ProgressEvent } from "../table.js";

const options = z.strictObject({
  model: architecture.optional().describe("model (default: resnet34; on a CPU resnet18)"),
  batchSize: z.int().min(1).optional().describe("images in a step (default: 128; on a CPU 8)"),
  rounds: z
    .int()
    .min(1)
    .optional()
    .describe("turns of each method, of which the median counts (default: 5; on a CPU 3)"),
  stepsPerRound: z.int().min(1).optional().describe("steps in a turn (default: 16; on a CPU 1)"),
  precision: z.enum(precisions).default("float32").describe("precision of training"),
});
type Options = z.output<typeof options>;

/** The paper's setting where there is a GPU, else one that a CPU does in minutes. */
function settled(given: Options, device: string) {
  // A device has begun a turn's next step before the last is done.
  const usual =
    device === "cpu"
      ? { model: resnet18(), batchSize: 8, rounds: 3, stepsPerRound: 1 }
      : { model: resnet34(), batchSize: 128, rounds: 5, stepsPerRound: 16 };
  const { model = usual.model, batchSize = usual.batchSize } = given;
  const { rounds = usual.rounds, stepsPerRound = usual.stepsPerRound, precision } = given;
  return { model, batchSize, rounds, stepsPerRound, precision };
}

const fgsm = "fgsm(epsilon=8/255)";
const pgd = (steps: number) => `pgd(epsilon=8/255, steps=${steps}, stepSize=2/255)` as const;

/** Methods with the steps of their attacks, kappa. */
const methods = [
  { key: "standard", title: "clean images", method: "standard", defenses: [], kappa: 0 },
  { key: "standard-sqa", title: "SQA, clean images", method: "standard", defenses: [sqa()], kappa: 0 },
  { key: "fgsm", title: "FGSM", method: fgsm, defenses: [], kappa: 1 },
  { key: "fgsm-sqa", title: "SQA + FGSM", method: fgsm, defenses: [sqa()], kappa: 1 },
  { key: "pgd-10", title: "PGD, 10 steps", method: pgd(10), defenses: [], kappa: 10 },
  { key: "pgd-20", title: "PGD, 20 steps", method: pgd(20), defenses: [], kappa: 20 },
  { key: "pgd-100", title: "PGD, 100 steps", method: pgd(100), defenses: [], kappa: 100 },
] as const;

const rowSchema = z.object({
  key: z.string(),
  title: z.string(),
  kappa: z.int(),
  /** Seconds an iteration. */
  measured: z.number(),
  /** (kappa + 1) times the measured step on clean images, with SQA for rows with SQA. */
  predicted: z.number(),
  paper: z.number().optional(),
});

const data = z.object({
  setting: z.object({
    model: z.string(),
    batchSize: z.int(),
    rounds: z.int(),
    stepsPerRound: z.int(),
    precision: z.enum(precisions),
  }),
  rows: z.array(rowSchema),
  /** Seconds of one forward-backward pass, by least squares over the rows without SQA. */
  fitted: z.number(),
  /** True where every method's steps were replayed as graphs. */
  replayed: z.boolean(),
  measuredOn: machineSchema,
});
type Data = z.output<typeof data>;

/** Images of noise: a step takes as long on them as on any. */
function noiseImages({ inputShape, classes }: Architecture, count: number): Dataset {
  const word = wordStream(0);
  const size = inputShape.reduce((a, b) => a * b, 1);
  const images = {
    images: Uint8Array.from({ length: count * size }, () => word() % 256),
    labels: Uint8Array.from({ length: count }, (_, index) => index % classes),
  };
  const names = Array.from({ length: classes }, (_, index) => String(index));
  return imagesOf({ ...images, test: images, shape: inputShape, classes: names, name: "noise" });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/** Rows of measured seconds by method, beside the cost model's. */
export function costRows(seconds: Readonly<Record<string, number>>): Pick<Data, "rows" | "fitted"> {
  const paper: Readonly<Record<string, number>> = expected.table4;
  const rows = methods.map(({ key, title, kappa, defenses }) => ({
    key,
    title,
    kappa,
    measured: seconds[key]!,
    predicted: predictedSeconds(kappa, seconds[defenses.length > 0 ? "standard-sqa" : "standard"]!),
    ...(paper[key] === undefined ? {} : { paper: paper[key] }),
  }));
  const plain = methods.filter(({ defenses }) => defenses.length === 0);
  return {
    rows,
    fitted: fittedForwardBackward(plain.map(({ key, kappa }) => ({ kappa, seconds: seconds[key]! }))),
  };
}

/** Times the methods' steps in turn, so that what else the machine does falls on all. */
async function* timings(
  setting: ReturnType<typeof settled>,
  device: string,
  signal: AbortSignal,
): Steps<ProgressEvent, { seconds: Record<string, number>; replayed: boolean }> {
  const { model, batchSize, rounds, stepsPerRound, precision } = setting;
  const images = noiseImages(model, batchSize);
  // An epoch is one step.
  const common = { model, data: images, precision, batchSize, epochs: (rounds + 1) * stepsPerRound };
  const timed = methods.map(({ key, method, defenses }) => {
    const config = trainConfig({ ...common, method, defenses, validationAttacks: [] });
    return { key, session: new TrainingSession(config, device), times: [] as number[] };
  });
  try {
    const total = (rounds + 1) * timed.length;
    let done = 0;
    // The first turn makes ready, and does not count.
    for (let round = 0; round <= rounds; round++) {
      for (const { session, times } of timed) {
        await turn();
        if (signal.aborted) return undefined;
        const began = performance.now();
        for (let step = 0; step < stepsPerRound; step++) {
          session.step(round * stepsPerRound + step);
          if (session.lookIsDue) session.look();
        }
        // A device has done the steps only when their losses are there.
        session.look();
        if (round > 0) times.push((performance.now() - began) / 1000 / stepsPerRound);
        yield { type: "progress", work: `timing ${model}`, done: ++done, total };
      }
    }
    return {
      seconds: Object.fromEntries(timed.map(({ key, times }) => [key, median(times)])),
      replayed: timed.every(({ session }) => session.replays),
    };
  } finally {
    for (const { session } of timed) session.dispose();
  }
}

function textTable({ rows }: Data) {
  const fgsmRow = rows.find(({ key }) => key === "fgsm");
  const ratio = (value: number | undefined, of: number | undefined) =>
    value === undefined || of === undefined ? "–" : (value / of).toFixed(2);
  return {
    lead: 1,
    columns: [
      "training on",
      "kappa",
      "measured, s",
      "predicted, s",
      "measured / FGSM",
      "paper, s",
      "paper / FGSM",
    ],
    rows: rows.map(({ title, kappa, measured, predicted, paper }) => [
      title,
      kappa,
      measured.toPrecision(3),
      predicted.toPrecision(3),
      ratio(measured, fgsmRow?.measured),
      paper?.toFixed(2) ?? "–",
      ratio(paper, fgsmRow?.paper),
    ]),
  };
}

/** Training images of CIFAR-10. */
const epochImages = 50_000;

function notesOn({ setting, fitted, rows, replayed, measuredOn }: Data): string[] {
  const { model, batchSize, rounds, stepsPerRound, precision } = setting;
  const { measured } = rows.find(({ key }) => key === "fgsm")!;
  const turns = stepsPerRound === 1 ? `${rounds}` : `${rounds} turns of ${stepsPerRound}`;
  const epoch = Number(((measured * epochImages) / batchSize).toPrecision(3));
  const { device, model: machine = device } = measuredOn;
  return [
    `Seconds an iteration, the median of ${turns}: ${model} with batches of ${batchSize} ` +
      `on ${machine}, in ${precision}.`,
    `FGSM on ${epochImages} images takes ${epoch} s.`,
    ...(model === "resnet34" && batchSize === 128
      ? []
      : [
          "A reduced setting: the paper times ResNet-34 with batches of 128 on a GPU.",
          "Compare ratios, not seconds.",
        ]),
    "Predicted: (kappa + 1) times the measured step on clean images, of a network with SQA for SQA.",
    "Measured steps may be cheaper, since the attack's passes need no gradients of the weights.",
    `Fitted to all rows without SQA, one pass forward and backward takes ${fitted.toPrecision(3)} s.`,
    ...(device === "cpu" || replayed ? [] : ["Steps were made operator by operator: no graph was captured."]),
  ];
}

/** Table 4: seconds an iteration of training methods, beside the cost model. */
export const table4 = defineTable("table4", {
  summary: "seconds an iteration of training by each method, beside the cost model",
  title: "Table 4: seconds an iteration",
  options,
  data,
  timed: true,
  async *gather(given, { device, signal, machine }) {
    const setting = settled(given, device);
    const timed = yield* timings(setting, device, signal);
    if (timed === undefined) return undefined;
    const { seconds, replayed } = timed;
    return {
      setting: { ...setting, model: String(setting.model) },
      ...costRows(seconds),
      replayed,
      measuredOn: machine,
    };
  },
  show: (measured) => ({ table: textTable(measured), notes: notesOn(measured) }),
});

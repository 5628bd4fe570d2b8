import * as z from "zod";
import { equation10, fittedForwardBackward, predictedSeconds } from "../../analysis/index.js";
import { resnet18, resnet34 } from "../../models/index.js";
import { precisions } from "../../nn/index.js";
import { noGraphNote } from "../accuracy/notes.js";
import { expected } from "../expected.js";
import { architecture } from "../options.js";
import { machineSchema } from "../runner/share-machine.js";
import { defineTable } from "../table.js";
import { methods, type TimingSetting, timings } from "./table4-timings.js";

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
function settled(given: Options, device: string): TimingSetting {
  // A device has begun a turn's next step before the last is done.
  const usual =
    device === "cpu"
      ? { model: resnet18(), batchSize: 8, rounds: 3, stepsPerRound: 1 }
      : { model: resnet34(), batchSize: 128, rounds: 5, stepsPerRound: 16 };
  const { model = usual.model, batchSize = usual.batchSize } = given;
  const { rounds = usual.rounds, stepsPerRound = usual.stepsPerRound, precision } = given;
  return { model, batchSize, rounds, stepsPerRound, precision };
}

const rowSchema = z.object({
  key: z.string(),
  title: z.string(),
  kappa: z.int(),
  /** Seconds an iteration. */
  measured: z.number(),
  /** (kappa + 1) times the measured step on clean images, with SQA for rows with SQA. */
  predicted: z.number(),
  /** The same with the measured pass of the attack: FGSM's step less the one on clean images. */
  predictedByPass: z.number(),
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
  /** Seconds that SQA adds to a pass: half of what it adds to an FGSM step, which has two. */
  alpha: z.number(),
  /** True where every method's steps were replayed as graphs. */
  replayed: z.boolean(),
  measuredOn: machineSchema,
});
type Data = z.output<typeof data>;

/** Seconds that SQA adds to a pass, by FGSM steps with SQA and without: alpha in equation 10. */
const alphaOf = (seconds: Readonly<Record<string, number>>) => (seconds["fgsm-sqa"]! - seconds.fgsm!) / 2;

/** Seconds of a pass forward and backward, fitted to those methods without SQA whose seconds are known. */
const fittedTo = (seconds: Readonly<Record<string, number>>) =>
  fittedForwardBackward(
    methods
      .filter(({ key, defenses }) => defenses.length === 0 && seconds[key] !== undefined)
      .map(({ key, kappa }) => ({ kappa, seconds: seconds[key]! })),
  );

/** Rows of measured seconds by method, beside the cost model's. */
export function costRows(seconds: Readonly<Record<string, number>>): Pick<Data, "rows" | "fitted" | "alpha"> {
  const paper: Readonly<Record<string, number>> = expected.table4;
  // A machine that is busy for a moment could turn a pass into less than nothing.
  const pass = (kind: string) => Math.max(0, seconds[`fgsm${kind}`]! - seconds[`standard${kind}`]!);
  const predictionsOf = (kappa: number, kind: string) => ({
    predicted: predictedSeconds(kappa, seconds[`standard${kind}`]!),
    predictedByPass: predictedSeconds(kappa, seconds[`standard${kind}`]!, pass(kind)),
  });
  const rows = methods.map(({ key, title, kappa, defenses }) => ({
    key,
    title,
    kappa,
    measured: seconds[key]!,
    ...predictionsOf(kappa, defenses.length > 0 ? "-sqa" : ""),
    ...(paper[key] === undefined ? {} : { paper: paper[key] }),
  }));
  return {
    rows,
    fitted: fittedTo(seconds),
    alpha: alphaOf(seconds),
  };
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
      "by the measured pass, s",
      "measured / FGSM",
      "paper, s",
      "paper / FGSM",
    ],
    rows: rows.map(({ title, kappa, measured, predicted, predictedByPass, paper }) => [
      title,
      kappa,
      measured.toPrecision(3),
      predicted.toPrecision(3),
      predictedByPass.toPrecision(3),
      ratio(measured, fgsmRow?.measured),
      paper?.toFixed(2) ?? "–",
      ratio(paper, fgsmRow?.paper),
    ]),
  };
}

/** Training images of CIFAR-10. */
const epochImages = 50_000;

/** Equation 10 with measured times: what SQA adds to a pass, and PGD's passes beside it. */
function equation10Notes({ fitted, alpha }: Data): string[] {
  const share = (part: number, of: number) => `${((100 * part) / of).toFixed(0)} %`;
  const ofPaper = share(alphaOf(expected.table4), fittedTo(expected.table4));
  const paper = `the paper's times, fitted alike, give ${ofPaper}`;
  if (alpha <= 0) return [`SQA adds nothing to a pass that these times can tell (alpha; ${paper}).`];
  const added = `${alpha.toPrecision(3)} s to a pass, ${share(alpha, fitted)} of it`;
  const times = [10, 20, 100].map((kappa) => Number(equation10(kappa, fitted, alpha).toPrecision(2)));
  return [
    `SQA adds ${added} (alpha; ${paper}).`,
    `Equation 10, (kappa - 1) / 2 tau over alpha: ${times.join(", ")} for PGD of 10, 20 and 100 steps.`,
  ];
}

function notesOn(data: Data): string[] {
  const { setting, fitted, rows, replayed, measuredOn } = data;
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
    "By the measured pass: kappa times what FGSM's step has more than the one on clean images. Passes of " +
      "the attack need no gradients of the weights.",
    ...(/resnet/.test(model)
      ? ["SQA stands after the first layer and every block, the reading that costs most."]
      : []),
    `Fitted to all rows without SQA, one pass forward and backward takes ${fitted.toPrecision(3)} s.`,
    ...equation10Notes(data),
    ...(device === "cpu" || replayed ? [] : [noGraphNote]),
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

import { setImmediate as turn } from "node:timers/promises";
import { fittedForwardBackward, predictedSeconds } from "../analysis/cost-model.js";
import { wordStream } from "../base/index.js";
import type { Dataset, Split } from "../datasets/index.js";
import { parseNetwork } from "../models/index.js";
import type { Precision } from "../nn/index.js";
import { renderTable } from "../report/table.js";
import { TrainingSession, trainConfig } from "../training/index.js";
import { expected } from "./expected.js";

/** Options of the table. */
export interface Table4Options {
  readonly network: string;
  readonly batchSize: number;
  /** Turns of each method, of which the median counts; one more, before the others, does not count. */
  readonly rounds: number;
  /** Steps in a turn: a device has begun the next one before the last is done. */
  readonly stepsPerRound: number;
  readonly device: string;
  readonly precision: Precision;
}

/** The paper's setting where there is a GPU, else one that a CPU does in minutes. */
export function table4Setting(device: string, precision: Precision): Table4Options {
  return device === "cpu"
    ? { network: "resnet18", batchSize: 8, rounds: 3, stepsPerRound: 1, device, precision }
    : { network: "resnet34", batchSize: 128, rounds: 5, stepsPerRound: 16, device, precision };
}

const epsilon = "8/255";
const pgd = (steps: number) => `pgd(epsilon=${epsilon}, steps=${steps}, stepSize=2/255)`;

const methods = [
  { key: "standard", title: "clean images", method: "standard", sqa: false, kappa: 0 },
  { key: "standard-sqa", title: "SQA, clean images", method: "standard", sqa: true, kappa: 0 },
  { key: "fgsm", title: "FGSM", method: `fgsm(epsilon=${epsilon})`, sqa: false, kappa: 1 },
  { key: "fgsm-sqa", title: "SQA + FGSM", method: `fgsm(epsilon=${epsilon})`, sqa: true, kappa: 1 },
  { key: "pgd-10", title: "PGD, 10 steps", method: pgd(10), sqa: false, kappa: 10 },
  { key: "pgd-20", title: "PGD, 20 steps", method: pgd(20), sqa: false, kappa: 20 },
  { key: "pgd-100", title: "PGD, 100 steps", method: pgd(100), sqa: false, kappa: 100 },
] as const;

/** Seconds an iteration of one method. */
export interface Table4Row {
  readonly key: string;
  readonly title: string;
  readonly kappa: number;
  readonly measured: number;
  /** (kappa + 1) times the measured step on clean images, with SQA for rows with SQA. */
  readonly predicted: number;
  readonly paper?: number | undefined;
}

export interface Table4 {
  readonly setting: Table4Options;
  readonly rows: readonly Table4Row[];
  /** One forward-backward pass by least squares over the rows without SQA, seconds. */
  readonly fitted: number;
  /** Whether every method's steps were replayed as graphs. */
  readonly replayed: boolean;
}

/** Images of noise: a step takes as long on them as on any. */
function noiseImages(network: string, count: number): Dataset {
  const { inputShape, classes } = parseNetwork(network);
  const word = wordStream(0);
  const split: Split = {
    images: Uint8Array.from({ length: count * inputShape.reduce((a, b) => a * b, 1) }, () => word() % 256),
    labels: Uint8Array.from({ length: count }, (_, index) => index % classes),
    count,
  };
  const classNames = Array.from({ length: classes }, (_, index) => String(index));
  return { name: "noise", classes, classNames, imageShape: inputShape, train: split, test: split };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

/** Rows out of measured seconds by method. */
export function table4Rows(seconds: Readonly<Record<string, number>>): Pick<Table4, "rows" | "fitted"> {
  const paper: Readonly<Record<string, number>> = expected.table4;
  const rows = methods.map(({ key, title, kappa, sqa }) => ({
    key,
    title,
    kappa,
    measured: seconds[key]!,
    predicted: predictedSeconds(kappa, seconds[sqa ? "standard-sqa" : "standard"]!),
    paper: paper[key],
  }));
  const plain = methods.filter(({ sqa }) => !sqa).map(({ key, kappa }) => ({ kappa, seconds: seconds[key]! }));
  return { rows, fitted: fittedForwardBackward(plain) };
}

/** Times the methods' steps in turn, so that what else the machine does falls on all; ends early when it is aborted. */
export async function* measureTable4(
  setting: Table4Options,
  signal?: AbortSignal,
): AsyncGenerator<{ type: "progress"; done: number; total: number } | { type: "end"; table: Table4 }, void> {
  const { network, batchSize, rounds, stepsPerRound, device, precision } = setting;
  const dataset = noiseImages(network, batchSize);
  const contenders = methods.map(({ key, method, sqa }) => {
    // An epoch is one step.
    const epochs = (rounds + 1) * stepsPerRound;
    const config = trainConfig({ network, sqa: sqa ? {} : null, method, precision, batchSize, epochs, probes: [] });
    return { key, session: new TrainingSession(config, dataset, device), times: [] as number[] };
  });
  try {
    const total = (rounds + 1) * contenders.length;
    let done = 0;
    for (let round = 0; round <= rounds; round++) {
      for (const { session, times } of contenders) {
        await turn();
        if (signal?.aborted) return;
        const began = performance.now();
        for (let step = 0; step < stepsPerRound; step++) {
          session.step(round * stepsPerRound + step);
          if (session.lookIsDue) session.look();
        }
        // A device has done the steps only when their losses are there.
        session.look();
        if (round > 0) times.push((performance.now() - began) / 1000 / stepsPerRound);
        yield { type: "progress", done: ++done, total };
      }
    }
    const seconds = Object.fromEntries(contenders.map(({ key, times }) => [key, median(times)]));
    const replayed = contenders.every(({ session }) => session.replays);
    yield { type: "end", table: { setting, ...table4Rows(seconds), replayed } };
  } finally {
    for (const { session } of contenders) session.dispose();
  }
}

export function renderTable4({ rows }: Table4, format: "markdown" | "terminal"): string {
  const columns = [
    "training on",
    "kappa",
    "measured, s",
    "predicted, s",
    "measured / FGSM",
    "paper, s",
    "paper / FGSM",
  ];
  const fgsm = rows.find(({ key }) => key === "fgsm")!;
  const ratio = (value: number | undefined, of: number) => (value === undefined ? "–" : (value / of).toFixed(2));
  const lines = rows.map(({ title, kappa, measured, predicted, paper }) => [
    title,
    String(kappa),
    measured.toPrecision(3),
    predicted.toPrecision(3),
    ratio(measured, fgsm.measured),
    paper?.toFixed(2) ?? "–",
    ratio(paper, fgsm.paper!),
  ]);
  return renderTable({ columns, rows: lines }, format);
}

/** Training images of CIFAR-10. */
const epochImages = 50_000;

/** What a reader must know beside the table. */
export function table4Notes({ setting, fitted, rows }: Table4): string[] {
  const { network, batchSize, rounds, stepsPerRound, device, precision } = setting;
  const reduced = network !== "resnet34" || batchSize !== 128;
  const fgsm = rows.find(({ key }) => key === "fgsm")!;
  const turns = stepsPerRound === 1 ? `${rounds}` : `${rounds} turns of ${stepsPerRound}`;
  return [
    `Seconds an iteration, the median of ${turns}: ${parseNetwork(network).shortLabel} with batches of ${batchSize} on ${device}, in ${precision}; FGSM on ${epochImages} images takes ${Number(((fgsm.measured * epochImages) / batchSize).toPrecision(3))} s.`,
    ...(reduced
      ? ["A reduced setting: the paper times ResNet-34 with batches of 128 on a GPU; compare ratios, not seconds."]
      : []),
    `Predicted: (kappa + 1) times the measured step on clean images, of a network with SQA for SQA. Fitted to all rows without SQA, one pass forward and backward takes ${fitted.toPrecision(3)} s. The attack's passes need no gradients of the weights, so measured steps may be cheaper.`,
  ];
}

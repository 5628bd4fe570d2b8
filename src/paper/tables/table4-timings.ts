import { setImmediate as turn } from "node:timers/promises";
import { type Steps, sizeOf, wordStream } from "../../base/index.js";
import { type Dataset, imagesOf } from "../../datasets/index.js";
import { sqa } from "../../defenses/index.js";
import type { Architecture } from "../../models/index.js";
import type { Precision } from "../../nn/index.js";
import { TrainingSession, trainConfig } from "../../training/index.js";
import type { ProgressEvent } from "../table.js";

const fgsm = "fgsm(epsilon=8/255)";
const pgd = (steps: number) => `pgd(epsilon=8/255, steps=${steps}, stepSize=2/255)` as const;

/** SQA in the most places of a residual network that the paper can mean: it costs no more than this. */
const everyBlock = sqa({ places: "blocks" });

/** Methods with the steps of their attacks, kappa. */
export const methods = [
  { key: "standard", title: "clean images", method: "standard", defenses: [], kappa: 0 },
  { key: "standard-sqa", title: "SQA, clean images", method: "standard", defenses: [everyBlock], kappa: 0 },
  { key: "fgsm", title: "FGSM", method: fgsm, defenses: [], kappa: 1 },
  { key: "fgsm-sqa", title: "SQA + FGSM", method: fgsm, defenses: [everyBlock], kappa: 1 },
  { key: "pgd-10", title: "PGD, 10 steps", method: pgd(10), defenses: [], kappa: 10 },
  { key: "pgd-20", title: "PGD, 20 steps", method: pgd(20), defenses: [], kappa: 20 },
  { key: "pgd-100", title: "PGD, 100 steps", method: pgd(100), defenses: [], kappa: 100 },
] as const;

/** Steps to time, and their number. */
export interface TimingSetting {
  readonly model: Architecture;
  readonly batchSize: number;
  /** Turns of each method, of which the median counts. */
  readonly rounds: number;
  readonly stepsPerRound: number;
  readonly precision: Precision;
}

/** Images of noise: a step takes as long on them as on any. */
function noiseImages({ inputShape, classes }: Architecture, count: number): Dataset {
  const word = wordStream(0);
  const size = sizeOf(inputShape);
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

/** Times the methods' steps in turn, so that what else the machine does falls on all. */
export async function* timings(
  setting: TimingSetting,
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

import { join } from "node:path";
import { expect } from "vitest";
import { type DefenseText, denoiserPart, guidedDenoiser } from "../../../src/defenses/index.js";
import type { Defense } from "../../../src/models/index.js";
import { writePart } from "../../defenses/parts.js";
import { builtModel } from "./models.js";

/** Case of a test of files: defenses of a model, and the draws that tell means apart. */
export interface DefendedCase {
  readonly title: string;
  readonly used: readonly (Defense | DefenseText)[];
  /** Runs of the file, and images of each run, whose draws are independent. */
  readonly draws?: readonly [runs: number, images: number];
}

/** Defenses whose answers no draw changes, for images of some channels; parts are written into the folder. */
export function fixedDefenses(folder: string, channels: number): DefendedCase[] {
  const file = join(folder, `denoiser-${channels}.safetensors`);
  const denoiser = writePart(file, denoiserPart, { channels, width: 3 });
  return [
    { title: "no defense", used: [] },
    alone("deterministic-quantization"),
    alone("binary-weights"),
    alone("binarized-network"),
    alone("thermometer"),
    alone("thermometer(levels=5, gradient=none)"),
    { title: "guided-denoiser", used: [guidedDenoiser({ denoiser })] },
    { title: "guided-denoiser and thermometer", used: [guidedDenoiser({ denoiser }), "thermometer"] },
  ];
}

/** Defenses that draw: once for each image, or once a run. */
export const randomDefenses: readonly DefendedCase[] = [
  { ...alone("sqa"), draws: [1, 400] },
  { ...alone("sap"), draws: [1, 100] },
  { ...alone("sap(samples=0.1)"), draws: [1, 400] },
  { ...alone("random-resize-pad"), draws: [1, 400] },
  { ...alone("binary-weights(stochastic=true)"), draws: [200, 1] },
  { ...alone("binarized-network(stochastic=true)"), draws: [200, 1] },
  { title: "random-resize-pad, sap and sqa", used: ["random-resize-pad", "sap", "sqa"], draws: [1, 100] },
];

function alone(text: DefenseText): DefendedCase {
  return { title: text, used: [text] };
}

/** Channels of an architecture's images here. */
export const channelsOf = (architecture: string): number => builtModel(architecture).inputShape[0];

/** Mean and variance of each class's logit over rows of logits. */
export function moments(rows: readonly (readonly number[])[]): { mean: number; variance: number }[] {
  return rows[0]!.map((_, k) => {
    const mean = rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length;
    const squares = rows.reduce((sum, row) => sum + (row[k]! - mean) ** 2, 0);
    return { mean, variance: squares / (rows.length - 1) };
  });
}

/** Numbers as rows of so many. */
export const rowsOf = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) =>
    Array.from({ length: width }, (_, k) => values[i * width + k]!),
  );

/** Bare networks of defenses, by which a file shows the draws themselves: images of 45 numbers, as logits. */
export const bareDefenses: readonly {
  readonly text: DefenseText;
  expectDraws(rows: readonly number[][], own: readonly number[][], pixels: readonly number[]): void;
}[] = [
  { text: "sap(samples=0.5)", expectDraws: expectPruned },
  { text: "random-resize-pad(shrink=2)", expectDraws: expectPlaced },
];

/** Tests each element's chance to be kept, its scale, and that draws with replacement depend on each other. */
function expectPruned(rows: readonly number[][], own: readonly number[][], pixels: readonly number[]): void {
  const total = pixels.reduce((sum, pixel) => sum + pixel, 0);
  const samples = Math.round(0.5 * pixels.length);
  for (const [i, pixel] of pixels.entries()) {
    const chance = 1 - (1 - pixel / total) ** samples;
    const kept = rows.flatMap((row) => (row[i] === 0 ? [] : [row[i]! * (chance / pixel)]));
    for (const scale of kept) expect(scale).toBeCloseTo(1, 5);
    const error = Math.sqrt((chance * (1 - chance)) / rows.length);
    expect(Math.abs(kept.length / rows.length - chance)).toBeLessThan(5 * error);
  }
  const counts = [rows, own].map((all) =>
    moments(all.map((row) => [row.filter((value) => value !== 0).length])),
  );
  const ratio = counts[0]![0]!.variance / counts[1]![0]!.variance;
  expect(Math.abs(ratio - 1)).toBeLessThan(5 * Math.sqrt(4 / rows.length));
}

/** Tests that the same images come about, as often. */
function expectPlaced(rows: readonly number[][], own: readonly number[][]): void {
  const counts = [rows, own].map((all) => {
    const found = new Map<string, number>();
    for (const row of all) {
      const key = row.map((value) => value.toFixed(5)).join();
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    return found;
  });
  // A size, and a place in each direction: 1 + 2 * 2 + 3 * 3.
  expect(counts.map(({ size }) => size)).toEqual([14, 14]);
  for (const [key, count] of counts[1]!)
    expect(Math.abs((counts[0]!.get(key) ?? 0) - count)).toBeLessThan(5 * Math.sqrt(2 * count));
}

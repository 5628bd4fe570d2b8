import { lineChart } from "../report/line-chart.js";
import { trainConfig } from "../training/index.js";
import type { Cell, CellOutcome } from "./experiment.js";

/** Options of the figure. */
export interface Figure1Options {
  readonly epochs: number;
  readonly seed: number;
  /** Test images; null for all. */
  readonly limit: number | null;
  readonly epsilons: readonly number[];
}

/** The figure's lines: deterministic binary quantization after one layer, or after none. */
const lines = [
  { name: "none", layer: undefined },
  { name: "layer 1", layer: "relu1" },
  { name: "layer 2", layer: "relu2" },
  { name: "layer 3", layer: "relu3" },
] as const;

/**
 * Networks of Figure 1: SMALL trained on clean images with deterministic binary quantization after one layer.
 */
// paper: does not say how these networks were trained; clean images show what quantization alone does.
export function figure1Cells(options: Figure1Options): Cell[] {
  const attacks = options.epsilons.filter((epsilon) => epsilon > 0).map((epsilon) => `fgsm(epsilon=${epsilon})`);
  return lines.map(({ name, layer }) => ({
    name,
    config: trainConfig({
      network: "small",
      method: "standard",
      epochs: options.epochs,
      // At a peak of 0.05 the network with its third layer quantized died to a constant output.
      schedule: "one-cycle(peak=0.02)",
      seed: options.seed,
      sqa: layer === undefined ? null : { layers: { [layer]: 1 }, rounding: "nearest" },
    }),
    evaluations: [{ attacks, limit: options.limit, draws: 1, seed: 0, transferFromTwin: false }],
  }));
}

/** The measured lines: accuracy under FGSM for each epsilon. */
export function figure1Series(outcomes: readonly CellOutcome[], options: Figure1Options) {
  const epsilons = options.epsilons.filter((epsilon) => epsilon > 0);
  return outcomes.map(({ cell, evaluations: [evaluation] }) => ({
    name: cell.name === "none" ? "not quantized" : `quantized after ${cell.name}`,
    points: [
      { x: 0, y: evaluation!.clean.accuracy, low: evaluation!.clean.low, high: evaluation!.clean.high },
      ...evaluation!.attacks.map(({ robustAccuracy, low, high }, i) => ({
        x: epsilons[i]!,
        y: robustAccuracy,
        low,
        high,
      })),
    ],
  }));
}

/** The figure as a vega-lite chart. */
export function figure1Chart(series: ReturnType<typeof figure1Series>, options: Figure1Options) {
  return lineChart({
    title: "Accuracy under FGSM with one layer quantized deterministically",
    subtitle: `SMALL on MNIST, ${options.epochs} epochs on clean images, seed ${options.seed}; bands are 95 % intervals`,
    x: { label: "epsilon (l-infinity, pixels in [0, 1])" },
    y: { label: "accuracy", percent: true },
    series,
  });
}

import { shortLabel } from "../attacks/index.js";
import { parseNetwork } from "../models/index.js";
import { lineChart } from "../report/line-chart.js";
import { SERIES_COLORS } from "../report/palette.js";
import type { EpochEvent, TrainConfig } from "../training/index.js";
import { seedsText, spreadOf } from "./statistics.js";

/** A run as the figure shows it. */
export interface OverfittingRun {
  readonly config: TrainConfig;
  readonly epochs: readonly EpochEvent[];
}

const kinds = [
  { name: "full precision", color: SERIES_COLORS[1]!, holds: (config: TrainConfig) => config.sqa === null },
  { name: "SQA", color: SERIES_COLORS[0]!, holds: (config: TrainConfig) => config.sqa !== null },
] as const;

/** The mean over runs of one probe after each epoch, with the lowest and the highest run as a band around it. */
function line(runs: readonly OverfittingRun[], value: (event: EpochEvent) => number) {
  return runs[0]!.epochs.map(({ epoch }, i) => {
    const values = runs.map(({ epochs }) => value(epochs[i]!));
    return { x: epoch, y: spreadOf(values).mean, low: Math.min(...values), high: Math.max(...values) };
  });
}

/**
 * The paper's case as a figure: accuracy under the first and the last probe against epochs, for each kind of network.
 * Catastrophic overfitting is where the two lines of a kind part. Runs are finished ones of one recipe.
 */
export function overfittingChart(runs: readonly OverfittingRun[]) {
  const { config, epochs } = runs[0]!;
  const [weak, strong] = [config.probes[0]!, config.probes.at(-1)!].map(shortLabel);
  const series = kinds.flatMap(({ name, color, holds }) => {
    const members = runs.filter((run) => holds(run.config));
    if (members.length === 0) return [];
    return [
      { name: `${name}, ${weak}`, color, dashed: true, points: line(members, (event) => event.probes[0]!.accuracy) },
      { name: `${name}, ${strong}`, color, points: line(members, (event) => event.probes.at(-1)!.accuracy) },
    ];
  });
  const counts = kinds.map(({ holds }) => runs.filter((run) => holds(run.config)).length).filter((count) => count > 0);
  const seeds = new Set(counts).size === 1 ? seedsText(counts[0]!) : `${counts.join(" and ")} seeds`;
  const network = parseNetwork(config.network).shortLabel.toUpperCase();
  const images = `${config.probeImages} ${config.holdOut > 0 ? "held-out " : ""}training images`;
  return lineChart({
    title: "Training on FGSM examples: accuracy under FGSM and under PGD",
    subtitle: `${network} on ${config.dataset.toUpperCase()}; mean, lowest and highest of ${seeds} on ${images}`,
    x: { label: "epoch", ...(epochs.length <= 20 ? { values: epochs.map(({ epoch }) => epoch) } : {}) },
    y: { label: "accuracy", percent: true },
    series,
  });
}

import { shortLabel } from "../attacks/index.js";
import { lineChart } from "../report/line-chart.js";
import type { EpochEvent, TrainConfig } from "../training/index.js";

/** A run as the figure shows it. */
export interface OverfittingRun {
  readonly config: TrainConfig;
  readonly epochs: readonly EpochEvent[];
}

/**
 * The paper's case as a figure: accuracy under the first and the last probe against epochs, for each run.
 * Catastrophic overfitting is where the two lines of a run part.
 */
export function overfittingChart(runs: readonly OverfittingRun[]) {
  const series = runs.flatMap(({ config, epochs }) => {
    const name = `${config.sqa === null ? "full precision" : "SQA"}, seed ${config.seed}`;
    const line = (label: string, dashed: boolean, value: (event: EpochEvent) => number | undefined) => ({
      name: `${name}, ${label}`,
      dashed,
      points: epochs.flatMap((event) => {
        const y = value(event);
        return y === undefined ? [] : [{ x: event.epoch, y }];
      }),
    });
    return [
      line("FGSM", true, (event) => event.probes[0]?.accuracy),
      line("PGD", false, (event) => event.probes.at(-1)?.accuracy),
    ];
  });
  const { config, epochs } = runs[0]!;
  const images = `${config.probeImages} ${config.holdOut > 0 ? "held-out " : ""}training images`;
  const probes = config.probes.map(shortLabel).join(" and ");
  return lineChart({
    title: "Training on FGSM examples: accuracy under FGSM and under PGD",
    subtitle: `${config.network.toUpperCase()} on ${config.dataset.toUpperCase()}; ${images} under ${probes} after each of ${epochs.length} epochs`,
    x: { label: "epoch" },
    y: { label: "accuracy", percent: true },
    series,
  });
}

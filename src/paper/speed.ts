import { renderTable } from "../report/table.js";
import { type PresetName, presets, type TrainConfigInput, trainConfig } from "../training/index.js";
import type { Cell, CellOutcome } from "./experiment.js";
import { epochsText, type Spread, spreadOf } from "./statistics.js";

/** Options of the table; what is undefined is the preset's. */
export interface SpeedOptions {
  readonly preset: PresetName;
  readonly network?: string | undefined;
  readonly method?: string | undefined;
  readonly epochs?: number | undefined;
  readonly seeds: number;
  /** Test images under PGD, and under AutoAttack; null for all. */
  readonly limit: number | null;
  readonly strongLimit: number | null;
}

/** A seed's training seconds, without probes, and what is left of its accuracy, in percent. */
export interface SpeedRow {
  readonly seed: number;
  /** Of the last epoch: the first one's are also those of what is made ready in it. */
  readonly epochSeconds: number;
  readonly seconds: number;
  readonly clean: number;
  readonly pgd: number;
  readonly autoattack: number;
  /** Whether steps were replayed as graphs. */
  readonly replayed: boolean;
  /** Kinds of alarms that training raised. */
  readonly alarms: readonly string[];
}

/** The radius that each preset's data set is attacked with, and the step of PGD. */
const radii: Readonly<Record<string, { readonly epsilon: string; readonly stepSize: string }>> = {
  mnist: { epsilon: "0.3", stepSize: "0.01" },
  cifar10: { epsilon: "8/255", stepSize: "2/255" },
};

/** The table's cells: one recipe with several seeds, then PGD of 50 steps with 10 restarts, and AutoAttack. */
export function speedCells({ preset, network, method, epochs, seeds, limit, strongLimit }: SpeedOptions): Cell[] {
  const given = Object.entries({ network, method, epochs }).filter(([, value]) => value !== undefined);
  const recipe: TrainConfigInput = { ...presets[preset], ...Object.fromEntries(given) };
  return Array.from({ length: seeds }, (_, seed) => {
    const config = trainConfig({ ...recipe, seed });
    const { epsilon, stepSize } = radii[config.dataset]!;
    const common = { draws: 10, seed: 0, transferFromTwin: false };
    return {
      name: `${preset}-seed${seed}`,
      config,
      evaluations: [
        { ...common, attacks: [`pgd(epsilon=${epsilon}, stepSize=${stepSize}, steps=50, restarts=10)`], limit },
        { ...common, attacks: [`autoattack(epsilon=${epsilon})`], limit: strongLimit },
      ],
    };
  });
}

/** A row for each finished cell. */
export function speedRows(outcomes: readonly CellOutcome[]): SpeedRow[] {
  return outcomes.map(({ cell, training, evaluations: [weak, strong] }) => ({
    seed: cell.config.seed,
    epochSeconds: training.last.seconds,
    seconds: training.seconds,
    clean: 100 * weak!.clean.accuracy,
    pgd: 100 * weak!.attacks[0]!.robustAccuracy,
    autoattack: 100 * strong!.attacks[0]!.robustAccuracy,
    replayed: training.replayed === true,
    alarms: [...new Set(training.alarms.map(({ kind }) => kind))],
  }));
}

const seconds = (value: number) => (value < 100 ? value.toPrecision(3) : value.toFixed(0));
const percent = (value: number) => value.toFixed(2);

const columns = [
  { key: "epochSeconds", title: "s an epoch", text: seconds },
  { key: "seconds", title: "s of training", text: seconds },
  { key: "clean", title: "clean", text: percent },
  { key: "pgd", title: "PGD-50, 10 restarts", text: percent },
  { key: "autoattack", title: "AutoAttack", text: percent },
] as const;

/** The means over seeds. */
export function speedMeans(rows: readonly SpeedRow[]): Record<(typeof columns)[number]["key"], Spread> {
  const means = columns.map(({ key }) => [key, spreadOf(rows.map((row) => row[key]))] as const);
  return Object.fromEntries(means) as Record<(typeof columns)[number]["key"], Spread>;
}

export function renderSpeed(rows: readonly SpeedRow[], format: "markdown" | "terminal"): string {
  const means = speedMeans(rows);
  const line = (name: string, values: (key: (typeof columns)[number]["key"]) => number, alarms: string) => [
    name,
    ...columns.map(({ key, text }) => text(values(key))),
    alarms,
  ];
  const seeds = rows.map((row) => line(`seed ${row.seed}`, (key) => row[key], row.alarms.join(", ") || "–"));
  const all = rows.length > 1 ? [line("mean", (key) => means[key].mean, "")] : [];
  const align = ["left", ...columns.map(() => "right" as const), "left"] as const;
  return renderTable(
    { columns: ["", ...columns.map(({ title }) => title), "alarms"], rows: [...seeds, ...all], align },
    format,
  );
}

/** What a reader must know beside the table. */
export function speedNotes([first]: readonly Cell[], { limit, strongLimit }: SpeedOptions): string[] {
  const { network, dataset, method, epochs, batchSize, schedule, precision, averaging, labelSmoothing, selection } =
    first!.config;
  const images = (count: number | null) => (count === null ? "all test images" : `the first ${count} test images`);
  return [
    `${network} on ${dataset}: ${method}, ${epochsText(epochs)} of batches of ${batchSize}, ${schedule}, label smoothing ${labelSmoothing}, averaged weights ${averaging || "none"}, ${selection} epoch.`,
    `Seconds of training, without the probes between epochs; an epoch's are those of the last. Trained in ${precision}; accuracies, in percent, are measured in float32: clean and PGD on ${images(limit)}, AutoAttack on ${images(strongLimit)}.`,
  ];
}

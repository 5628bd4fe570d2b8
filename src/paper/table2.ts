import { trainConfig } from "../training/index.js";
import { type AccuracyRow, accuracyRow, alarmNotes, precisionNote, renderAccuracies } from "./accuracy-table.js";
import { expected } from "./expected.js";
import type { Cell, CellOutcome, EvaluationPlan } from "./experiment.js";
import { epochsText } from "./statistics.js";

/** Options of the table. */
export interface Table2Options {
  /** The paper's are resnet34 and resnet101. */
  readonly networks: readonly string[];
  readonly epochs: number;
  readonly seeds: number;
  readonly batchSize: number;
  /** Training images; null for all. */
  readonly trainImages: number | null;
  /** Test images under the paper's attacks, and under the ones that it lacks; null for all. */
  readonly limit: number | null;
  readonly strongLimit: number | null;
}

/** The paper's setting where there is a GPU, else a small relative of its networks for few epochs: two hours of two cores. */
export function table2Setting(device: string): Table2Options {
  const common = { batchSize: 128, trainImages: null };
  return device === "cpu"
    ? { ...common, networks: ["resnet18(width=16)"], epochs: 15, seeds: 1, limit: 1000, strongLimit: 200 }
    : { ...common, networks: ["resnet34", "resnet101"], epochs: 350, seeds: 3, limit: null, strongLimit: 1000 };
}

const cw = (epsilon: string) => `cw-linf(epsilon=${epsilon}, stepSize=1/255, steps=30)`;

const columns = [
  { key: "clean", title: "clean", attack: undefined, plan: "paper" },
  { key: "fgsm-4", title: "FGSM 4/255", attack: "fgsm(epsilon=4/255)", plan: "paper" },
  { key: "fgsm-8", title: "FGSM 8/255", attack: "fgsm(epsilon=8/255)", plan: "paper" },
  { key: "cw-4", title: "C&W 4/255", attack: cw("4/255"), plan: "paper" },
  { key: "cw-8", title: "C&W 8/255", attack: cw("8/255"), plan: "paper" },
  { key: "pgd-8", title: "PGD-7 8/255", attack: "pgd(epsilon=8/255, stepSize=2/255, steps=7)", plan: "paper" },
  {
    key: "pgd-8-restarts",
    title: "PGD-50, 10 restarts",
    attack: "pgd(epsilon=8/255, stepSize=2/255, steps=50, restarts=10)",
    plan: "strong",
  },
  {
    key: "pgd-8-draws",
    title: "PGD-50 over 20 draws",
    attack: "expectation(pgd(epsilon=8/255, stepSize=2/255, steps=50), draws=20)",
    plan: "draws",
  },
  {
    key: "twin-8",
    title: "PGD-50 from the twin",
    attack: "pgd(epsilon=8/255, stepSize=2/255, steps=50)",
    plan: "twin",
  },
] as const;

/** The table's columns: the paper's, and the last three, which it lacks. */
export const table2Columns: readonly { key: string; title: string }[] = columns;

type Plan = (typeof columns)[number]["plan"];

/** What each kind of network is asked, and once more with SQA off; the evaluations of a cell are in this order. */
const asked = {
  full: { on: ["paper", "strong"], off: [] },
  sqa: { on: ["paper", "strong", "twin", "draws"], off: ["paper", "strong"] },
} as const satisfies Record<string, Readonly<Record<"on" | "off", readonly Plan[]>>>;

function plans(kind: "full" | "sqa", { limit, strongLimit }: Table2Options): EvaluationPlan[] {
  const planOf = (plan: Plan): EvaluationPlan => ({
    draws: 10,
    seed: 0,
    transferFromTwin: plan === "twin",
    attacks: columns.flatMap((column) => (column.attack !== undefined && column.plan === plan ? [column.attack] : [])),
    limit: plan === "paper" ? limit : strongLimit,
  });
  const { on, off } = asked[kind];
  return [...on.map(planOf), ...off.map((plan) => ({ ...planOf(plan), twin: true }))];
}

/** The table's cells: residual networks on CIFAR-10 by the paper's recipe, half clean and half FGSM images. */
// paper: gives 350 epochs and no drops for CIFAR-10; here a tenth at 30, 60 and 90 % of the run, as its MNIST recipe has them.
export function table2Cells(options: Table2Options): Cell[] {
  const { epochs, batchSize, trainImages, seeds } = options;
  const recipe = {
    dataset: "cifar10",
    augmentation: "crop-flip",
    method: "fgsm(epsilon=8/255)",
    cleanShare: 0.5,
    schedule: `step(peak=0.1, epochs=${(3 * epochs) / 10}, factor=0.1)`,
    probes: ["fgsm(epsilon=8/255)", "pgd(epsilon=8/255, stepSize=2/255, steps=7)"],
    probeImages: Math.min(1000, trainImages ?? 1000),
    epochs,
    batchSize,
    limit: trainImages,
  };
  return options.networks.flatMap((network) =>
    (["full", "sqa"] as const).flatMap((kind) =>
      Array.from({ length: seeds }, (_, seed) => ({
        name: `${network}-${kind}-seed${seed}`,
        config: trainConfig({ ...recipe, network, sqa: kind === "sqa" ? {} : null, seed }),
        evaluations: plans(kind, options),
      })),
    ),
  );
}

/** A network's shares as it was trained, or with SQA off; undefined for what it was not asked. */
function shareOf(kind: "full" | "sqa", quantization: "on" | "off") {
  return ({ evaluations }: CellOutcome, key: string): number | undefined => {
    const column = columns.find((one) => one.key === key)!;
    const order: readonly Plan[] = asked[kind][quantization];
    const at = order.indexOf(column.plan);
    if (at < 0) return undefined;
    const evaluation = evaluations[at + (quantization === "on" ? 0 : asked[kind].on.length)];
    if (column.attack === undefined) return evaluation?.clean.accuracy;
    const index = columns.filter(({ attack, plan }) => attack !== undefined && plan === column.plan).indexOf(column);
    return evaluation?.attacks[index]?.robustAccuracy;
  };
}

/** The paper's names of its networks; others go by their own. */
const titles: Readonly<Record<string, string>> = { resnet34: "ResNet-34", resnet101: "ResNet-101" };

/**
 * The rows of finished cells: full precision, SQA, and the SQA network with its quantizers off; seeds of one network and kind become
 * one row.
 */
export function table2Rows(outcomes: readonly CellOutcome[], { networks }: Table2Options): AccuracyRow[] {
  const paper: Readonly<Record<string, Readonly<Record<string, number>>>> = expected.table2;
  return networks.flatMap((network) => {
    const title = titles[network] ?? network;
    const row = (kind: "full" | "sqa", name: string, quantization: "on" | "off" = "on") => {
      const members = outcomes.filter(({ cell }) => cell.name.startsWith(`${network}-${kind}-`));
      if (members.length === 0) return [];
      const numbers = quantization === "on" ? paper[`${network}-${kind}`] : undefined;
      return [accuracyRow(`${title}, ${name}`, members, columns, shareOf(kind, quantization), numbers)];
    };
    return [...row("full", "full precision"), ...row("sqa", "SQA"), ...row("sqa", "SQA in training only (off)", "off")];
  });
}

export function renderTable2(rows: readonly AccuracyRow[], format: "markdown" | "terminal"): string {
  return renderAccuracies(columns, rows, format);
}

/** What a reader must know beside the table. */
export function table2Notes(rows: readonly AccuracyRow[], options: Table2Options): string[] {
  const { networks, epochs, batchSize, trainImages, limit, strongLimit } = options;
  const images = (count: number | null) => (count === null ? "all" : `the first ${count}`);
  const length = epochsText(epochs);
  const others = networks.filter((network) => titles[network] === undefined);
  const reduced = epochs < 350 || trainImages !== null || others.length > 0;
  return [
    `CIFAR-10, half clean, half FGSM images (8/255), batches of ${batchSize}, ${length}; ± is the standard deviation over seeds.`,
    ...(reduced
      ? [
          `A reduced setting, no reproduction: ${length} on ${images(trainImages)} training images; the paper trains ResNet-34 and ResNet-101 for 350 epochs on all.`,
        ]
      : []),
    `Percent classified correctly, of ${images(limit)} test images; of ${images(strongLimit)} in the last three columns, which the paper lacks. SQA answers in fresh draws that no attack saw (mean of 10).`,
    "A dash: a number of the paper that this project does not have, or a column that does not apply.",
    precisionNote(rows),
    ...alarmNotes(rows),
  ];
}

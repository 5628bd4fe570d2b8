import { renderTable } from "../report/table.js";
import { presets, trainConfig } from "../training/index.js";
import { expected } from "./expected.js";
import type { Cell, CellOutcome } from "./experiment.js";
import type { Table1Row } from "./table1.js";

/** Test images under the demo's attacks: enough for an interval of a few points, few enough to be done in a minute. */
const images = 1000;

/** The demo's columns: those of Table 1 that show the paper's case. */
const columns = [
  { key: "fgsm-0.2", title: "FGSM 0.2", attack: "fgsm(epsilon=0.2)" },
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: "fgsm(epsilon=0.3)" },
  { key: "cw-0.2", title: "C&W 0.2", attack: "cw-linf(epsilon=0.2, stepSize=0.01, steps=40)" },
  { key: "cw-0.3", title: "C&W 0.3", attack: "cw-linf(epsilon=0.3, stepSize=0.01, steps=40)" },
  { key: "pgd-0.2", title: "PGD 0.2", attack: "pgd(epsilon=0.2, stepSize=0.01, steps=40)" },
] as const;

/** The main job: SMALL with SQA on clean and FGSM images of the whole training set, in a few epochs. */
export function demoCell(): Cell {
  return {
    name: "demo",
    config: trainConfig({ ...presets.short, network: "small", sqa: {} }),
    evaluations: [
      { attacks: columns.map(({ attack }) => attack), limit: images, draws: 10, seed: 0, transferFromTwin: false },
    ],
  };
}

/** The demo's table: paper beside measured for SQA, and the plain network's committed result where there is one. */
export function renderDemo(outcome: CellOutcome, plain: Table1Row | undefined): string {
  const paper = (row: Partial<Record<string, number>>) =>
    ["clean", ...columns.map(({ key }) => key)].map((key) => shown(row[key]));
  const [evaluation] = outcome.evaluations;
  const measured = [evaluation!.clean.accuracy, ...evaluation!.attacks.map(({ robustAccuracy }) => robustAccuracy)];
  const keys = ["clean", ...columns.map(({ key }) => key)] as const;
  const rows = [
    ["SQA, paper (100 epochs)", ...paper(expected.table1["small-sqa"])],
    [`SQA, measured (${outcome.training.epochs} epochs)`, ...measured.map((share) => shown(100 * share))],
    ["full precision, paper (100 epochs)", ...paper(expected.table1["small-full"])],
  ];
  if (plain !== undefined) {
    const kept = keys.map((key) => shown(plain.measured[key as keyof typeof plain.measured]?.mean));
    rows.push([`full precision, committed result (${plain.epochs} epochs)`, ...kept]);
  }
  return renderTable(
    { columns: ["SMALL on MNIST, % correct", "clean", ...columns.map(({ title }) => title)], rows },
    "terminal",
  );
}

function shown(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(2);
}

/** What the numbers are measured on. */
export const demoNote = `Attacks on the first ${images} test images; SQA answers in fresh draws that no attack saw (mean of 10).`;

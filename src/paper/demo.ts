import { renderTable } from "../report/table.js";
import { presets, trainConfig } from "../training/index.js";
import { expected } from "./expected.js";
import type { Cell, CellOutcome } from "./experiment.js";
import { networkKinds } from "./network-kinds.js";

/** Test images under the demo's iterative attacks: enough for an interval of a few points, few enough for a minute. */
const attackedImages = 1000;

/** The demo's columns: Table 1's. Single-step attacks run on the whole test set. */
const columns = [
  { key: "fgsm-0.2", title: "FGSM 0.2", attack: "fgsm(epsilon=0.2)", iterative: false },
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: "fgsm(epsilon=0.3)", iterative: false },
  { key: "cw-0.2", title: "C&W 0.2", attack: "cw-linf(epsilon=0.2, stepSize=0.01, steps=40)", iterative: true },
  { key: "cw-0.3", title: "C&W 0.3", attack: "cw-linf(epsilon=0.3, stepSize=0.01, steps=40)", iterative: true },
  { key: "pgd-0.2", title: "PGD 0.2", attack: "pgd(epsilon=0.2, stepSize=0.01, steps=40)", iterative: true },
] as const;

/**
 * The paper's case: SMALL in full precision and with SQA, each trained for a few epochs on FGSM images without a random start of
 * the whole training set, to which full precision overfits; then attacked.
 */
export function demoCells(): Cell[] {
  const plan = (iterative: boolean, limit: number | null) => ({
    attacks: columns.filter((column) => column.iterative === iterative).map(({ attack }) => attack),
    limit,
    draws: 10,
    seed: 0,
    transferFromTwin: false,
  });
  return networkKinds.map(({ title, sqa }) => ({
    name: title,
    config: trainConfig({ ...presets.short, method: "fgsm(epsilon=0.3)", network: "small", sqa, probeImages: 256 }),
    evaluations: [plan(false, null), plan(true, attackedImages)],
  }));
}

/** The demo's table: for each network the paper's numbers beside the measured ones, in percent. */
export function renderDemo(outcomes: readonly CellOutcome[]): string {
  const rows = networkKinds.flatMap(({ kind, title }, i) => {
    const paper: Partial<Record<string, number>> = expected.table1[`small-${kind}`];
    const { training, evaluations } = outcomes[i]!;
    const attacked = evaluations.flatMap((evaluation) => evaluation.attacks.map((attack) => attack.robustAccuracy));
    return [
      [`${title}, paper (100 epochs)`, ...["clean", ...columns.map(({ key }) => key)].map((key) => shown(paper[key]))],
      [
        `${title}, measured (${training.epochs} epochs)`,
        ...[evaluations[0]!.clean.accuracy, ...attacked].map((share) => shown(100 * share)),
      ],
    ];
  });
  const titles = ["SMALL on MNIST, % correct", "clean", ...columns.map(({ title }) => title)];
  return renderTable({ columns: titles, rows }, "terminal");
}

function shown(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(2);
}

/** What the numbers are measured on, and what they mean. */
export const demoNote = `Clean and FGSM on all test images, C&W and PGD (40 steps) on the first ${attackedImages}; SQA answers in fresh draws that no
attack saw (mean of 10). A network has overfitted to FGSM where it holds FGSM and falls to PGD.`;

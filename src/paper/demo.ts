import * as z from "zod";
import { cwLinf, fgsm, pgd } from "../attacks/index.js";
import { mnist } from "../datasets/index.js";
import { small } from "../models/index.js";
import { presets } from "../training/index.js";
import { defineAccuracyTable } from "./accuracy/accuracy-table.js";
import { clean } from "./accuracy/column.js";
import { contenderRows } from "./contenders.js";
import { expected } from "./expected.js";

/**
 * Test images under the demo's iterative attacks: enough for an interval of a few points, few enough for a
 * minute.
 */
const attackedImages = 1000;

/**
 * The paper's case: SMALL in full precision and with SQA, each trained for a few epochs on FGSM images
 * without a random start, to which full precision overfits; then attacked as in Table 1.
 */
export const demo = defineAccuracyTable("demo", {
  summary: "SMALL on MNIST, trained with SQA and without on FGSM images, then attacked",
  title: "SMALL on MNIST, % correct",
  options: z.strictObject({}),
  // Single-step attacks run on the whole test set.
  limits: () => ({ limit: null, attackLimit: attackedImages }),
  columns: [
    clean,
    { key: "fgsm-0.2", title: "FGSM 0.2", attack: fgsm({ epsilon: 0.2 }) },
    { key: "fgsm-0.3", title: "FGSM 0.3", attack: fgsm({ epsilon: 0.3 }) },
    {
      key: "cw-0.2",
      title: "C&W 0.2",
      attack: cwLinf({ epsilon: 0.2, stepSize: 0.01, steps: 40 }),
      strong: true,
    },
    {
      key: "cw-0.3",
      title: "C&W 0.3",
      attack: cwLinf({ epsilon: 0.3, stepSize: 0.01, steps: 40 }),
      strong: true,
    },
    {
      key: "pgd-0.2",
      title: "PGD 0.2",
      attack: pgd({ epsilon: 0.2, stepSize: 0.01, steps: 40 }),
      strong: true,
    },
  ],
  rows() {
    const { config } = presets["mnist-short"];
    const recipe = { ...config, method: "fgsm(epsilon=0.3)", data: mnist(), validationImages: 256 } as const;
    const rows = contenderRows(small(), recipe, { seeds: 1 });
    return rows.map((row) => ({ ...row, paper: expected.table1.rows[row.key] }));
  },
  notes: () => [
    `The paper trains ${presets.paper.config.epochs} epochs.`,
    "A model has overfitted to FGSM where its accuracy holds under FGSM and falls under PGD.",
  ],
});

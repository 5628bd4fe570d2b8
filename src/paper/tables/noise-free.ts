import * as z from "zod";
import { apgdT, fgsm, pgd, square } from "../../attacks/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import { noiseFreeRow } from "../contenders.js";
import { mnistModel, mnistOptions } from "../options.js";
import { fgsmRows } from "../recipe.js";

const columns: readonly Column[] = [
  clean,
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: fgsm({ epsilon: 0.3 }) },
  { key: "pgd-0.2", title: "PGD 0.2", attack: pgd({ epsilon: 0.2, stepSize: 0.01, steps: 40 }) },
  {
    key: "pgd-0.3-restarts",
    title: "PGD 0.3, 10 restarts",
    attack: pgd({ epsilon: 0.3, stepSize: 0.01, steps: 40, restarts: 10 }),
    strong: true,
  },
  { key: "apgd-t-0.3", title: "APGD-T 0.3", attack: apgdT({ epsilon: 0.3 }), strong: true },
  // Without gradients: a network whose gradients mislead falls here and not before.
  { key: "square-0.3", title: "Square 0.3", attack: square({ epsilon: 0.3, queries: 1000 }), strong: true },
];

/** SQA in training alone: a network trained with it, asked with its noise and without. */
export const noiseFree = defineAccuracyTable("noise-free", {
  summary: "accuracy on MNIST of a network trained with SQA, with its noise and without",
  title: "SQA in training alone: accuracy without its noise",
  options: z.strictObject({ ...mnistOptions, model: mnistModel }),
  columns,
  rows(options) {
    const [full, sqa] = fgsmRows(options);
    return [full, sqa, noiseFreeRow(sqa)];
  },
});

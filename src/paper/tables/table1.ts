import * as z from "zod";
import { cwLinf, fgsm, pgd } from "../../attacks/index.js";
import { large, small } from "../../models/index.js";
import { presets } from "../../training/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import { shortenedNotes } from "../accuracy/shortened.js";
import { contenderRows } from "../contenders.js";
import { expected, paperName, publishedRow } from "../expected.js";
import { architecture, mnistOptions } from "../options.js";
import { recipeOf } from "../recipe.js";

/** The paper's columns, and two that it lacks. */
export const table1Columns: readonly Column[] = [
  clean,
  { key: "fgsm-0.2", title: "FGSM 0.2", attack: fgsm({ epsilon: 0.2 }) },
  { key: "fgsm-0.3", title: "FGSM 0.3", attack: fgsm({ epsilon: 0.3 }) },
  { key: "cw-0.2", title: "C&W 0.2", attack: cwLinf({ epsilon: 0.2, stepSize: 0.01, steps: 40 }) },
  { key: "cw-0.3", title: "C&W 0.3", attack: cwLinf({ epsilon: 0.3, stepSize: 0.01, steps: 40 }) },
  { key: "pgd-0.2", title: "PGD 0.2", attack: pgd({ epsilon: 0.2, stepSize: 0.01, steps: 40 }) },
  {
    key: "pgd-0.3-restarts",
    title: "PGD 0.3, 10 restarts",
    attack: pgd({ epsilon: 0.3, stepSize: 0.01, steps: 40, restarts: 10 }),
    strong: true,
  },
  {
    key: "noise-free-0.3",
    title: "PGD 0.3 on the noise-free model",
    attack: pgd({ epsilon: 0.3, stepSize: 0.01, steps: 40 }),
    strong: true,
    surrogate: "noise-free",
    randomizedOnly: true,
  },
];

const models = z
  .array(architecture)
  .min(1)
  .default(() => [small(), large()])
  .describe("models of the table");

/** Table 1: the paper's networks for MNIST under white-box attacks, in full precision and with SQA. */
export const table1 = defineAccuracyTable("table1", {
  summary: "accuracy of SMALL and LARGE on MNIST under white-box attacks, full precision beside SQA",
  title: ({ data }) => `Table 1: accuracy on ${paperName(data.name)} under white-box attacks`,
  options: z.strictObject({ ...mnistOptions, model: models }),
  columns: table1Columns,
  rows: ({ model, ...options }) =>
    model.flatMap((each) =>
      contenderRows(each, recipeOf(options), options).map((row) => ({
        ...row,
        paper: publishedRow(expected.table1, options.data, row.key),
      })),
    ),
  notes: (rows) => shortenedNotes(rows, presets.paper.config.epochs),
});

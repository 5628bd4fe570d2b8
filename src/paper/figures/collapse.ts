import * as z from "zod";
import { type Attack, autoattack, expectation, fgsm, pgd } from "../../attacks/index.js";
import { cifar10 } from "../../datasets/index.js";
import { sqa } from "../../defenses/index.js";
import { type Defense, resnet18 } from "../../models/index.js";
import { formatRatio, grayLevels, ratio } from "../../options/index.js";
import * as methods from "../../training/index.js";
import { type Column, clean } from "../accuracy/column.js";
import { joinedRows, limitsOf } from "../accuracy/data.js";
import { epochsChart, epochsRowSchema, epochsRows } from "../accuracy/epochs.js";
import { accuracyNotes } from "../accuracy/notes.js";
import { accuracyTable } from "../accuracy/render.js";
import { planOf, type Row } from "../accuracy/row.js";
import { paperName } from "../expected.js";
import { architecture, dataset, rowsOption, sizeOptions } from "../options.js";
import { defineTable } from "../table.js";

/** Training that is compared: a method, with SQA or without. */
interface Contender {
  readonly title: string;
  readonly defenses: readonly Defense[];
  method(epsilon: number): methods.TrainingMethod;
}

const { fgsmRs, nFgsm } = methods;
const plain = (epsilon: number) => methods.fgsm({ epsilon });
const pgd2 = (epsilon: number) => methods.pgd({ epsilon, stepSize: epsilon / 2, steps: 2 });
const noisy = (epsilon: number) => nFgsm({ epsilon });

/** By the key of its row. */
const contenders: Readonly<Record<string, Contender>> = {
  fgsm: { title: "FGSM", defenses: [], method: plain },
  "sqa-fgsm": { title: "SQA + FGSM", defenses: [sqa()], method: plain },
  "sqa-blocks-fgsm": {
    title: "SQA after every block + FGSM",
    defenses: [sqa({ places: "blocks" })],
    method: plain,
  },
  "n-fgsm": { title: "N-FGSM", defenses: [], method: noisy },
  "fgsm-rs": { title: "FGSM-RS", defenses: [], method: (epsilon) => fgsmRs({ epsilon }) },
  "pgd-2": { title: "PGD-2", defenses: [], method: pgd2 },
  "sqa-n-fgsm": { title: "SQA + N-FGSM", defenses: [sqa()], method: noisy },
  "sqa-pgd-2": { title: "SQA + PGD-2", defenses: [sqa()], method: pgd2 },
};

const options = z.strictObject({
  ...sizeOptions,
  epochs: sizeOptions.epochs.describe("epochs of training (default: 15)"),
  limit: sizeOptions.limit.describe("number of test images, the first ones (default: 1000)"),
  attackLimit: sizeOptions.attackLimit.describe("those under strong attacks (default: 200, or limit)"),
  model: architecture.default(() => resnet18({ width: 16 })).describe("model of the figure"),
  data: dataset.default(() => cifar10()).describe("data set"),
  epsilon: ratio({ above: 0, max: 1 })
    .default(16 / 255)
    .describe("radius of training and of attacks")
    .meta({ hint: grayLevels }),
  rows: rowsOption(Object.keys(contenders))
    .min(1)
    .default(["fgsm", "sqa-fgsm", "n-fgsm"])
    .describe("rows that are made, by their keys"),
});
type Options = z.output<typeof options>;

/** Attack on the models at the end: PGD of 50 steps, an eighth of the radius each. */
const pgd50 = (epsilon: number, restarts = 1): Attack =>
  pgd({ epsilon, stepSize: epsilon / 8, steps: 50, restarts });

function columnsOf({ epsilon }: Options): Column[] {
  return [
    clean,
    { key: "fgsm", title: "FGSM", attack: fgsm({ epsilon }) },
    { key: "pgd", title: "PGD-50, 10 restarts", attack: pgd50(epsilon, 10), strong: true },
    {
      key: "draws",
      title: "PGD-50 over 20 draws",
      attack: expectation(pgd50(epsilon), { draws: 20 }),
      strong: true,
      randomizedOnly: true,
    },
    { key: "autoattack", title: "AutoAttack", attack: autoattack({ epsilon }), strong: true },
  ];
}

/** The recipe of papers on fast training: a rate up to 0.2 and down again, crops and flips. */
function rowsOf(given: Options): Row[] {
  const { model, data, epsilon, epochs = 15, precision, seeds } = given;
  const train: methods.TrainConfigInput = {
    model,
    data,
    precision,
    epochs,
    augmentation: "crop-flip",
    schedule: "triangular(peak=0.2)",
    heldOut: 1000,
    validationAttacks: [fgsm({ epsilon }), pgd({ epsilon, stepSize: epsilon / 4, steps: 10 })],
  };
  return given.rows.map((key) => {
    const { title, defenses, method } = contenders[key]!;
    const version = defenses.length > 0 ? "randomized" : "standard";
    return {
      key: `${key}-${formatRatio(epsilon).replace("/", "-")}`,
      title,
      train: { ...train, defenses, method: method(epsilon) },
      seeds,
      attacks: { autoattack: autoattack({ epsilon, version }) },
    };
  });
}

function planFor(given: Options) {
  const { limit = 1000, attackLimit = Math.min(200, limit) } = given;
  return planOf(rowsOf(given), columnsOf(given), limitsOf({ limit, attackLimit }));
}

const titleOf = ({ data, epsilon }: Options) =>
  `Fast training on ${paperName(data.name)} at ${formatRatio(epsilon)}: FGSM and PGD after each epoch`;

/**
 * The paper's claim where it can fail: a radius at which FGSM training in full precision collapses, with SQA
 * beside it, and the methods that the field takes against the collapse.
 */
export const collapse = defineTable("collapse", {
  summary: "accuracy under FGSM and PGD after each epoch on CIFAR-10 at a large radius, SQA beside others",
  title: titleOf,
  options,
  data: z.object({ rows: z.array(epochsRowSchema).min(1) }),
  cells: (given) => planFor(given).cells,
  gather: (given, found) => ({ rows: epochsRows(planFor(given).rows, columnsOf(given), found) }),
  join: joinedRows,
  show({ rows }, given) {
    const columns = columnsOf(given);
    return {
      table: accuracyTable(rows, columns),
      chart: epochsChart(titleOf(given), rows),
      notes: accuracyNotes(rows, columns),
    };
  },
});

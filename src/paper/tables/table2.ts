import * as z from "zod";
import { cwLinf, expectation, fgsm, pgd } from "../../attacks/index.js";
import { cifar10 } from "../../datasets/index.js";
import { resnet18, resnet34, resnet101 } from "../../models/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import { limitsOf } from "../accuracy/data.js";
import { shortenedNotes } from "../accuracy/shortened.js";
import { cifarEpochs, cifarRecipe } from "../cifar-recipe.js";
import { contenderRows, noiseFreeRow } from "../contenders.js";
import { expected, paperName, publishedRow } from "../expected.js";
import { architecture, dataset, sizeOptions, trainImages } from "../options.js";

const level = 1 / 255;
const pgd50 = { epsilon: 8 * level, stepSize: 2 * level, steps: 50 };
const cw = (epsilon: number) => cwLinf({ epsilon, stepSize: level, steps: 30 });

/** The paper's columns, and three that it lacks. */
const columns: readonly Column[] = [
  clean,
  { key: "fgsm-4", title: "FGSM 4/255", attack: fgsm({ epsilon: 4 * level }) },
  { key: "fgsm-8", title: "FGSM 8/255", attack: fgsm({ epsilon: 8 * level }) },
  { key: "cw-4", title: "C&W 4/255", attack: cw(4 * level) },
  { key: "cw-8", title: "C&W 8/255", attack: cw(8 * level) },
  { key: "pgd-8", title: "PGD-7 8/255", attack: pgd({ epsilon: 8 * level, stepSize: 2 * level, steps: 7 }) },
  {
    key: "pgd-8-restarts",
    title: "PGD-50, 10 restarts",
    attack: pgd({ ...pgd50, restarts: 10 }),
    strong: true,
  },
  {
    key: "pgd-8-draws",
    title: "PGD-50 over 20 draws",
    attack: expectation(pgd(pgd50), { draws: 20 }),
    strong: true,
    randomizedOnly: true,
  },
  {
    key: "noise-free-8",
    title: "PGD-50 on the noise-free model",
    attack: pgd(pgd50),
    strong: true,
    surrogate: "noise-free",
    randomizedOnly: true,
  },
];

/**
 * The paper's setting where there is a GPU, else a small relative of its networks: two hours of two cores.
 */
function settingOn(device: string) {
  return device === "cpu"
    ? { model: [resnet18({ width: 16 })], epochs: 15, seeds: 1, limit: 1000, attackLimit: 200 }
    : {
        model: [resnet34(), resnet101()],
        epochs: cifarEpochs,
        seeds: 3,
        limit: undefined,
        attackLimit: 1000,
      };
}

const options = z.strictObject({
  ...sizeOptions,
  model: z
    .array(architecture)
    .min(1)
    .optional()
    .describe("models of the table (default: resnet34 and resnet101; on a CPU resnet18(width=16))"),
  seeds: sizeOptions.seeds.unwrap().optional().describe("seeds of each row, from 0 (default: 3; on a CPU 1)"),
  epochs: sizeOptions.epochs.describe("epochs of training (default: 350; on a CPU 15)"),
  limit: sizeOptions.limit.describe("number of test images, the first ones (default: all; on a CPU 1000)"),
  attackLimit: sizeOptions.attackLimit.describe(
    "those under strong attacks, at most limit (default: 1000; on a CPU 200)",
  ),
  trainImages,
  data: dataset.default(() => cifar10()).describe("data set"),
});
type Options = z.output<typeof options>;

/** Options, with a device's setting where they leave something open. */
function settled(given: Options, device: string) {
  const usual = settingOn(device);
  const { model = usual.model, epochs = usual.epochs, seeds = usual.seeds, limit = usual.limit } = given;
  const { attackLimit = Math.min(usual.attackLimit, limit ?? usual.attackLimit) } = given;
  return { ...given, model, epochs, seeds, limit, attackLimit };
}

/** Table 2: residual networks on CIFAR-10 under white-box attacks, in full precision and with SQA. */
export const table2 = defineAccuracyTable("table2", {
  summary:
    "accuracy of ResNet-34 and ResNet-101 on CIFAR-10 under white-box attacks, full precision beside SQA",
  title: ({ data }) => `Table 2: accuracy on ${paperName(data.name)} under white-box attacks`,
  options,
  columns,
  limits: (given, device) => limitsOf(settled(given, device)),
  rows(given, device) {
    const setting = settled(given, device);
    return setting.model.flatMap((model) => {
      const rows = contenderRows(model, cifarRecipe(setting), setting).map((row) => ({
        ...row,
        paper: publishedRow(expected.table2, given.data, row.key),
      }));
      return [...rows, noiseFreeRow(rows.at(-1)!)];
    });
  },
  notes(rows) {
    const others = rows.filter(({ paper, noiseFree }) => paper === undefined && noiseFree !== true);
    return [
      ...shortenedNotes(rows, cifarEpochs),
      ...(others.length > 0
        ? ["A reduced setting, no reproduction: the paper trains ResNet-34 and ResNet-101."]
        : []),
    ];
  },
});

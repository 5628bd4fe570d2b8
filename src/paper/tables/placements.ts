import * as z from "zod";
import { expectation, fgsm, pgd } from "../../attacks/index.js";
import { cifar10 } from "../../datasets/index.js";
import { sqa } from "../../defenses/index.js";
import { type Defense, resnet18 } from "../../models/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import { publishedMean } from "../accuracy/render.js";
import { shortenedNotes } from "../accuracy/shortened.js";
import { cifarEpochs, cifarRecipe } from "../cifar-recipe.js";
import { expected } from "../expected.js";
import { dataset, rowsOption, sizeOptions, trainImages } from "../options.js";

/** Last layer of each block of a ResNet-18 before its shortcut is added. */
const beforeShortcuts = [1, 2, 3, 4].flatMap((stage) => [0, 1].map((block) => `layer${stage}.${block}.bn2`));

/** Readings of where SQA stands, and over what its levels run: title and defenses, by the key of the row. */
const readings: Readonly<Record<string, readonly [title: string, ...defenses: readonly Defense[]]>> = {
  full: ["full precision"],
  "first-layer": ["after the first layer", sqa({ places: "first-layer" })],
  "first-block": ["after the first layer and block", sqa()],
  stages: ["after the first layer and each stage", sqa({ places: "stages" })],
  blocks: ["after the first layer and every block", sqa({ places: "blocks" })],
  "before-shortcut": [
    "after the first layer, and in every block before its shortcut is added",
    sqa({ layers: Object.fromEntries([["relu", 1], ...beforeShortcuts.map((layer) => [layer, 2])]) }),
  ],
  channel: ["every block, a range for each channel", sqa({ places: "blocks", range: "channel" })],
  batch: ["every block, one range for the batch", sqa({ places: "blocks", range: "batch" })],
};
const keys = Object.keys(readings);

const options = z.strictObject({
  ...sizeOptions,
  seeds: sizeOptions.seeds.unwrap().default(1).describe("seeds of each row, from 0"),
  epochs: sizeOptions.epochs.unwrap().default(4).describe("epochs of training"),
  limit: sizeOptions.limit.unwrap().default(1000).describe("number of test images, the first ones"),
  attackLimit: sizeOptions.attackLimit
    .unwrap()
    .default(200)
    .describe("those under strong attacks, at most limit"),
  width: z
    .int()
    .min(1)
    .max(1024)
    .default(16)
    .describe("channels of ResNet-18's first stage; 64 are published"),
  data: dataset.default(() => cifar10()).describe("data set"),
  trainImages,
  rows: rowsOption(keys).min(1).default(keys).describe("rows that are made, by their keys"),
});

const epsilon = 8 / 255;
const steps = (count: number) => pgd({ epsilon, stepSize: 2 / 255, steps: count });
const columns: readonly Column[] = [
  clean,
  { key: "fgsm-8", title: "FGSM 8/255", attack: fgsm({ epsilon }) },
  { key: "pgd-8", title: "PGD-7 8/255", attack: steps(7) },
  {
    key: "pgd-8-draws",
    title: "PGD-50 over 20 draws",
    attack: expectation(steps(50), { draws: 20 }),
    strong: true,
  },
];

/** The paper's numbers of a ResNet, which a reading is held to. */
function paperText(model: string, title: string): string {
  const [full, quantized] = ["full", "sqa"].map((key) => expected.table2.rows[`${model}-${key}`]);
  const lost = publishedMean(full?.clean)! - publishedMean(quantized?.clean)!;
  const kept = publishedMean(quantized?.["pgd-8"]);
  return `${title} loses ${lost.toFixed(1)} points of clean accuracy to SQA and keeps ${kept} % under PGD-7`;
}

/** SQA's places in a residual network: the paper says "bottleneck modules", which has several readings. */
export const placements = defineAccuracyTable("placements", {
  summary: "accuracy of a ResNet on CIFAR-10 by where SQA stands, and over what its levels run",
  title: "Readings of SQA's places in a residual network, on CIFAR-10 at 8/255",
  options,
  columns,
  shared: ["width"],
  rows: ({ width, ...given }) =>
    given.rows.map((key) => {
      const [title, ...defenses] = readings[key]!;
      const model = resnet18({ width });
      return { key, title, train: { ...cifarRecipe(given), model, defenses }, seeds: given.seeds };
    }),
  notes: (rows) => [
    `In the paper ${paperText("resnet34", "ResNet-34")}, ${paperText("resnet101", "ResNet-101")}.`,
    ...shortenedNotes(rows, cifarEpochs),
  ],
});

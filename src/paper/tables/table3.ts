import * as z from "zod";
import { type Attack, autoattack, cwL2, cwLinf, expectation, pgd, within } from "../../attacks/index.js";
import { countText } from "../../base/index.js";
import { cifar10, mnist } from "../../datasets/index.js";
import { budgetNames } from "../../evaluation/index.js";
import { resnet18, small } from "../../models/index.js";
import { formatRatio } from "../../options/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type Column, clean } from "../accuracy/column.js";
import type { MeasuredRow } from "../accuracy/data.js";
import { expected, paperName } from "../expected.js";
import { architecture, dataset, rowsOption, sizeOptions, trainImages } from "../options.js";
import { ensembleKey, type Strength, table3Keys, table3Rows } from "./table3-rows.js";

const options = z.strictObject({
  ...sizeOptions,
  seeds: sizeOptions.seeds.unwrap().default(1).describe("seeds of each row, from 0"),
  epochs: sizeOptions.epochs.describe("epochs of training (default: 4; on CIFAR-10 15)"),
  limit: sizeOptions.limit.describe("number of test images, the first ones (default: 1000)"),
  attackLimit: sizeOptions.attackLimit.describe("those under strong attacks (default: 200, or limit)"),
  trainImages,
  model: architecture
    .optional()
    .describe("model of the table (default: small; on CIFAR-10 resnet18(width=16))"),
  data: dataset.default(() => mnist()).describe("data set, mnist or cifar10"),
  steps: z.int().min(1).max(1000).default(40).describe("steps of attacks by gradients"),
  draws: z.int().min(1).max(1000).default(20).describe("draws over which adaptive attacks average"),
  queries: z.int().min(1).max(100_000).default(1000).describe("queries of AutoAttack's Square"),
  rows: rowsOption(table3Keys).min(1).optional().describe("rows that are made, by their keys (default: all)"),
  sources: z
    .array(z.string().min(1))
    .default([])
    .describe("trained models of ensemble adversarial training, whose row is left out without any"),
  density: z
    .string()
    .optional()
    .describe("density model of PixelDefend, which `sqa density` trains; without it the row is left out"),
  denoiser: z
    .string()
    .optional()
    .describe("denoiser of the row none, which `sqa denoiser` trains; without it its row is left out"),
  audit: z
    .enum(["none", ...budgetNames])
    .default("quick")
    .describe("budget of each row's audit, which judges its accuracy under PGD; none for no audit"),
  minimumNorm: z
    .boolean()
    .default(false)
    .describe("adds PGD and C&W in l2, averaged over draws: the paper's equations 4 and 5"),
});
type Options = z.output<typeof options>;

/** Radius in l2 at which the column of C&W in l2 counts, on the data's scale. */
const l2Radii: Readonly<Record<string, number>> = { mnist: 2, cifar10: 0.5 };

/** The setting of a data set. RangeError for one that has no radius of its own. */
function settled({ data, steps, draws, queries, limit = 1000, ...given }: Options) {
  const { epsilon } = data;
  if (epsilon === undefined) throw new RangeError(`table3: ${data} has no radius; take mnist or cifar10`);
  const isColor = data.imageShape[0] > 1;
  const usual = isColor
    ? { model: resnet18({ width: 16 }), normalized: resnet18({ width: 16 }), epochs: 15, peak: 0.1 }
    : { model: small(), normalized: small({ batchNorm: true, hiddenNorm: true }), epochs: 4, peak: 0.05 };
  // The field's steps, 0.01 on MNIST and 2/255 on CIFAR-10; longer ones where few could not cross the ball.
  const stepSize = Math.max(Math.min(epsilon / 4, 0.01), (1.25 * epsilon) / steps);
  const strength: Strength = { epsilon, stepSize, steps, draws, queries };
  return {
    ...usual,
    ...(given.model === undefined ? {} : { model: given.model, normalized: given.model }),
    epochs: given.epochs ?? usual.epochs,
    isColor,
    strength,
    limits: { limit, attackLimit: given.attackLimit ?? Math.min(200, limit) },
  };
}

/** C&W of the column and of rows. */
function cwOf(given: Options): Attack {
  const { strength, isColor } = settled(given);
  const { epsilon, stepSize, steps } = strength;
  return cwLinf(
    isColor ? { epsilon, stepSize: 1 / 255, steps: Math.min(30, steps) } : { epsilon, stepSize, steps },
  );
}

/** Columns; rows have adaptive attacks and AutoAttack of their own. */
function columnsOf(given: Options): Column[] {
  const { epsilon, stepSize, steps } = settled(given).strength;
  const plain = { epsilon, stepSize, steps };
  const radius = l2Radii[given.data.identity] ?? 1;
  const overDraws = (attack: Attack) => expectation(attack, { draws: given.draws });
  // Its images are at the radius: the closest ones fool a randomized model in half of its draws.
  const found = cwL2({ steps: 5 * steps, binarySearchSteps: 4, learningRate: 0.05, initialConstant: 0.1 });
  return [
    clean,
    { key: "pgd", title: "PGD", attack: pgd(plain), strong: true },
    { key: "cw", title: "C&W", attack: cwOf(given), strong: true },
    { key: "adaptive", title: "adaptive attack", attack: pgd(plain), strong: true },
    { key: "autoattack", title: "AutoAttack", attack: autoattack({ epsilon }), strong: true },
    ...(given.audit === "none"
      ? []
      : [{ key: "audit", title: "audit, worst case", attack: pgd(plain), audit: given.audit, strong: true }]),
    ...(given.minimumNorm
      ? [
          {
            key: "pgd-l2",
            title: `PGD l2 at ${radius}, over draws`,
            attack: overDraws(pgd({ norm: "l2", epsilon: radius, steps: 5 * steps })),
            strong: true,
          },
          {
            key: "cw-l2",
            title: `C&W l2 at ${radius}, over draws`,
            attack: within(overDraws(found), { epsilon: radius, at: "radius" }),
            strong: true,
          },
        ]
      : []),
  ];
}

/** Points by which a defense's own evaluation must exceed the worst attack to be called overstated. */
const margin = 10;

/** Sentences on rows whose accuracy under PGD other attacks belie. */
function verdicts(rows: readonly MeasuredRow[]): string[] {
  return rows.flatMap(({ title, measured }) => {
    const found = ["cw", "adaptive", "autoattack"].flatMap((key) => measured[key]?.mean ?? []);
    const claimed = measured.pgd?.mean;
    if (claimed === undefined || found.length === 0) return [];
    const excess = claimed - Math.min(...found);
    return excess < margin
      ? []
      : [`${title}: PGD leaves ${excess.toFixed(1)} points more than the strongest attack: overstated.`];
  });
}

const {
  sap,
  "pixel-defend": pixelDefend,
  thermometer,
  sqa,
  "pgd-training": pgdTraining,
} = expected.table3.rows;

/** Table 3: defenses under the attacks of their papers, and under those made for them. */
export const table3 = defineAccuracyTable("table3", {
  summary: "accuracy of other defenses beside SQA, under PGD and attacks made for each",
  title: ({ data }) => `Table 3: defenses on ${paperName(data.name)}`,
  options,
  columns: columnsOf,
  shared: ["steps", "draws", "queries", "audit", "minimumNorm"],
  limits: (given) => settled(given).limits,
  rows(given) {
    const { model, normalized, epochs, peak, isColor, strength } = settled(given);
    const train = {
      data: given.data,
      precision: given.precision,
      epochs,
      schedule: `one-cycle(peak=${peak})`,
      limit: given.trainImages ?? null,
      validationAttacks: [],
      augmentation: isColor ? "crop-flip" : "none",
    } as const;
    // Adversarial training at this radius starts late: small batches give it steps enough.
    const often = { optimizer: "adam", schedule: "one-cycle(peak=0.002)", batchSize: 50 } as const;
    const patient = isColor ? undefined : often;
    const published = given.data.identity === cifar10().identity;
    const { rows: keys, seeds, sources, density, denoiser } = given;
    const purifiers = { density, denoiser, cw: cwOf(given) };
    return table3Rows({
      model,
      normalized,
      train,
      patient,
      seeds,
      strength,
      keys,
      published,
      sources,
      purifiers,
    });
  },
  notes: (rows, { steps, draws, queries, data, sources, audit, rows: keys }) => [
    `The paper's numbers, on CIFAR-10 at 8/255, each on its own network: C&W leaves SAP ${sap["cw-8"]}, ` +
      `PGD training ${pgdTraining["cw-8"]}, SQA ${sqa["cw-8"]}; PGD leaves PixelDefend ` +
      `${pixelDefend["pgd-8"]}, thermometer ${thermometer["pgd-8"]}, PGD training ${pgdTraining["pgd-8"]}, ` +
      `SQA ${sqa["pgd-8"]}.`,
    "Athalye et al. (2018), at 0.031: SAP 0, thermometer 0 (30 with PGD training), PixelDefend 9, random " +
      "resizing 0 (ImageNet), PGD training 47.",
    `All at ${formatRatio(data.epsilon ?? 0)}. PGD takes each defense's own gradients, one draw a ` +
      `step; ${countText(steps, "step")}. PixelDefend and the guided denoiser meet PGD and C&W on the ` +
      "model alone, as published.",
    "Adaptive: SAP, the identity's gradient over draws; thermometer, straight-through and LS-PGA; " +
      "random resizing and SQA, over draws; binarized network, scaled logits; deterministic " +
      "quantization, the staircase's gradient; PixelDefend, PGD by the identity's gradient; " +
      "guided denoiser, PGD through it; others, APGD with two restarts.",
    `Means over ${countText(draws, "draw")}. AutoAttack: ${countText(steps, "step")} and ` +
      `${countText(queries, "query", "queries")}; the project's suite for randomized models where answers ` +
      "differ from draw to draw.",
    ...(rows.every(({ measured }) => measured.audit === undefined)
      ? []
      : [
          `Audit: the worst case of all attacks of the ${audit} budget, and the verdict on the accuracy ` +
            "under PGD. PixelDefend has none: it purifies pixel after pixel, so an audit takes a day.",
        ]),
    "A small network and a short recipe: rows compare with each other, not with the papers.",
    ...verdicts(rows),
    // An earlier file may have the row.
    ...(sources.length === 0 && keys === undefined && !rows.some(({ key }) => key.startsWith(ensembleKey))
      ? ["Ensemble adversarial training is left out: it needs trained models, given as sources."]
      : []),
  ],
});

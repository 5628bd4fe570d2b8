import * as z from "zod";
import { epochsChart, epochsRowSchema, epochsRows, epochsSetting } from "../accuracy/epochs.js";
import { planOf } from "../accuracy/row.js";
import { mnistModel, mnistOptions } from "../options.js";
import { type FgsmOptions, fgsmRows } from "../recipe.js";
import { defineTable } from "../table.js";

const { limit: _, attackLimit: __, ...sizes } = mnistOptions;

const title = "Training on FGSM images: accuracy under FGSM and under PGD";

/** The figure's runs; nothing is asked of their models but what validation asks. */
const planFor = (options: FgsmOptions) => planOf(fgsmRows(options), [], { limit: null, attackLimit: null });

/** The paper's case as a figure: catastrophic overfitting is where the two lines of a network part. */
export const overfitting = defineTable("overfitting", {
  summary:
    "accuracy under FGSM and PGD after each epoch of training on FGSM images, full precision beside SQA",
  title,
  options: z.strictObject({ ...sizes, model: mnistModel }),
  data: z.object({ networks: z.array(epochsRowSchema).min(1) }),
  cells: (options) => planFor(options).cells,
  gather: (options, found) => ({ networks: epochsRows(planFor(options).rows, [], found) }),
  show: ({ networks }) => ({
    chart: epochsChart(title, networks),
    notes: [`${epochsSetting(networks)}.`],
  }),
});

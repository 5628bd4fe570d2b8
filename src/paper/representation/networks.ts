import * as z from "zod";
import { modelFromRun } from "../../training/index.js";
import { type MeasuredRow, measuredRows } from "../accuracy/data.js";
import { type Plan, planOf } from "../accuracy/row.js";
import { countText } from "../accuracy/spread.js";
import { paperName } from "../expected.js";
import { mnistModel, mnistOptions } from "../options.js";
import { fgsmRows } from "../recipe.js";
import { methodInFull } from "../spelled-out.js";
import type { Found } from "../table.js";
import { type Representation, representationOf, shownAs } from "./representation.js";

const { preset, data, epochs, limit, precision } = mnistOptions;

/** Options of the figures of the penultimate layer. */
export const representationOptions = z.strictObject({
  model: mnistModel,
  preset,
  data,
  epochs,
  limit: limit.unwrap().default(500).describe("number of test images, the first ones"),
  precision,
});
type Options = z.output<typeof representationOptions>;

/** Runs of the figures: full precision and SQA, seed 0, asked for the images in each form. */
export function representationPlan(options: Options): Plan {
  const images = { limit: options.limit, attackLimit: options.limit };
  return planOf(fgsmRows({ ...options, seeds: 1 }), shownAs, images);
}

/** Measured rows of the figures, each with its model's penultimate layer, which the caller disposes. */
export function* representations(
  options: Options,
  found: Found,
): Generator<{ readonly row: MeasuredRow; readonly representation: Representation }> {
  const { rows } = representationPlan(options);
  const measured = measuredRows(rows, shownAs, found);
  for (const [index, row] of measured.entries()) {
    const { config, cells } = rows[index]!;
    const { model } = modelFromRun(found.outcomes.get(cells[0]!)!.run, config);
    try {
      const representation = representationOf(model, config.data.test, {
        images: options.limit,
        device: found.device,
      });
      yield { row, representation };
    } finally {
      if (model.borrowed !== true) model.module.dispose();
    }
  }
}

/** Setting of a figure in words. */
export function settingText(rows: readonly MeasuredRow[], { limit: images }: Options): string {
  const { model, data: dataset, method, epochs: length } = rows[0]!.config;
  const training = `${countText(length, "epoch")} of ${methodInFull(method)}`;
  return `${paperName(model)} on ${paperName(dataset)}, ${training}, seed 0; ${images} test images`;
}

/** Accuracy of a row on images in a form, in percent. */
export function accuracyText({ measured }: MeasuredRow, form: string): string {
  return `${measured[form]?.mean.toFixed(1) ?? "–"} %`;
}

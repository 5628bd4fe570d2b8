import * as z from "zod";
import { countText, type Steps } from "../../base/index.js";
import type { Dataset } from "../../datasets/index.js";
import { sqa } from "../../defenses/index.js";
import { type Defense, resnet18 } from "../../models/index.js";
import { fgsm, modelFromRun, standard, type TrainConfigInput } from "../../training/index.js";
import { type MeasuredRow, measuredRows } from "../accuracy/data.js";
import { type Plan, planOf, type Row } from "../accuracy/row.js";
import { spreadOf } from "../accuracy/spread.js";
import { paperName } from "../expected.js";
import { architecture, mnistModel, mnistOptions } from "../options.js";
import { recipeOf } from "../recipe.js";
import { methodInFull, withoutStatistics } from "../spelled-out.js";
import { type Found, isSteps, type ProgressEvent } from "../table.js";
import { forEachForm, type Representation, radiusFor, representationOf } from "./representation.js";

const { preset, epochs, precision } = mnistOptions;

/** Options of the figures of the penultimate layer, beside the data sets and the number of images. */
export const networkOptions = {
  model: mnistModel.describe("model for gray images"),
  preset,
  epochs: epochs.describe("epochs on gray images (default: the preset's)"),
  colorModel: architecture.default(() => resnet18({ width: 16 })).describe("model for color images"),
  colorEpochs: z.int().min(1).default(3).describe("epochs on color images"),
  colorImages: z.int().min(1).default(10_000).describe("number of training images in color, the first ones"),
  precision,
};
type Options = z.output<z.ZodObject<typeof networkOptions>>;

/** Network of a figure, on whatever data set. */
interface Network {
  readonly key: string;
  readonly title: string;
  readonly defenses: readonly Defense[];
  method(epsilon: number): TrainConfigInput["method"];
  /** Options of training that differ. */
  readonly train?: Partial<TrainConfigInput>;
}

/** The paper's networks (A), (B) and (C) of Figures 2 and 3. */
const networks: readonly Network[] = [
  {
    key: "standard",
    title: "(A) full precision, no defense",
    defenses: [],
    method: () => standard(),
    // All of its images are clean: there are no others beside which some would be weighed.
    train: { cleanWeight: 0 },
  },
  { key: "fgsm", title: "(B) full precision + FGSM", defenses: [], method: (epsilon) => fgsm({ epsilon }) },
  { key: "sqa-fgsm", title: "(C) SQA + FGSM", defenses: [sqa()], method: (epsilon) => fgsm({ epsilon }) },
];

/** Training without a method: the preset's for gray images, and a short one for images in color. */
// paper: trains ResNets for 350 epochs; one cycle of a few epochs is what a CPU has time for.
function trainingFor(options: Options, data: Dataset): Omit<TrainConfigInput, "seed"> {
  if (data.imageShape[0] === 1) return { ...recipeOf({ ...options, data }), model: options.model };
  const { colorModel: model, colorEpochs, colorImages, precision: asked } = options;
  const recipe = { batchSize: 64, schedule: "one-cycle(peak=0.1)", validationImages: 100 } as const;
  return { ...recipe, epochs: colorEpochs, limit: colorImages, model, data, precision: asked };
}

function rowsFor(options: Options, data: Dataset): Row[] {
  const training = trainingFor(options, data);
  const epsilon = radiusFor(data);
  return networks.map(({ key, title, defenses, method, train }) => ({
    key: `${data.identity}-${key}`,
    title,
    train: { ...training, ...train, defenses, method: method(epsilon) },
    seeds: 1,
  }));
}

/** Runs of the figures, seed 0, on each data set. */
export function representationPlan(options: Options, data: readonly Dataset[]): Plan {
  const rows = data.flatMap((each) => rowsFor(options, each));
  return planOf(rows, [], { limit: null, attackLimit: null });
}

/** Penultimate layer of a row's model, and the row with its accuracies. */
export interface RepresentedRow {
  readonly row: MeasuredRow;
  readonly data: Dataset;
  readonly representation: Representation;
}

/**
 * Goes through the models of the figures, and makes something of each penultimate layer, which is freed after
 * that. Yields how far it is; undefined where the signal stopped it.
 *
 * @param images test images of each data set, the first ones; undefined for all
 */
export async function* eachRepresentation<Made>(
  { rows }: Plan,
  images: number | undefined,
  found: Found,
  make: (given: RepresentedRow) => Made | Steps<ProgressEvent, Made>,
): Steps<ProgressEvent, Made[]> {
  const made: Made[] = [];
  for (const [index, row] of measuredRows(rows, [], found).entries()) {
    const { config, cells } = rows[index]!;
    const { data } = config;
    const { model } = modelFromRun(found.outcomes.get(cells[0]!)!.run, config);
    try {
      const representation = yield* representationOf(model, data, {
        images: images ?? data.test.count,
        device: found.device,
        work: `C&W, ${row.title}, ${paperName(data)}`,
        signal: found.signal,
      });
      if (representation === undefined) return undefined;
      using seen = representation;
      const work = make({ row: withAccuracies(row, seen), data, representation: seen });
      const one = isSteps(work) ? yield* work : work;
      if (one === undefined) return undefined;
      made.push(one);
    } finally {
      if (model.borrowed !== true) model.module.dispose();
    }
  }
  return made;
}

function withAccuracies(row: MeasuredRow, { labels, accuracy }: Representation): MeasuredRow {
  const images = labels.shape[0]!;
  return { ...row, measured: forEachForm((form) => ({ ...spreadOf([100 * accuracy[form]]), images })) };
}

/** Training of networks on one data set in words. */
export function settingText([first, ...others]: readonly MeasuredRow[]): string {
  const { model, data, method, epochs: length, limit } = (others[0] ?? first!).config;
  const seen = limit === null ? "" : ` on ${countText(limit, "image")}`;
  const trained = `${countText(length, "epoch")}${seen}, (B) and (C) on ${methodInFull(method)}, seed 0`;
  const count = countText(first!.measured.clean?.images ?? 0, "test image");
  return `${paperName(withoutStatistics(model))} on ${paperName(data)}: ${trained}; ${count}.`;
}

/** Accuracy of a row on images in a form, in percent. */
export function accuracyText({ measured }: MeasuredRow, form: string): string {
  return `${measured[form]?.mean.toFixed(1) ?? "–"} %`;
}

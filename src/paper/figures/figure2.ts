import { setImmediate as turn } from "node:timers/promises";
import * as z from "zod";
import { neighborAgreement, tSne } from "../../analysis/index.js";
import type { Steps } from "../../base/index.js";
import type { Dataset } from "../../datasets/index.js";
import type { Tensor } from "../../engine/index.js";
import { picturePanels, SERIES_COLORS } from "../../report/index.js";
import { measuredRowSchema } from "../accuracy/data.js";
import { mnistOptions } from "../options.js";
import {
  accuracyText,
  eachRepresentation,
  networkOptions,
  type RepresentedRow,
  representationPlan,
  settingText,
} from "../representation/networks.js";
import { chosenOf, type Place, picturesOf, placesFrom } from "../representation/pictures.js";
import { forEachForm, formTitle, type Representation, shownAs } from "../representation/representation.js";
import { defineTable, type ProgressEvent } from "../table.js";

const place = z.tuple([z.number(), z.number()]);
const picture = z.string().max(4_000_000);

/** Row with its images in the plane. */
const networkSchema = measuredRowSchema.extend({
  /** Names of the classes that are drawn. */
  classNames: z.array(z.string()),
  /** Labels of the images that are drawn. */
  labels: z.array(z.int()),
  /** Places of those images, in hundredths. */
  places: z.object({ clean: z.array(place), cw: z.array(place) }),
  /** Drawing of those images at their places, PNG as base64. */
  pictures: z.object({ clean: picture, cw: picture }),
  /**
   * Percent of an image's ten nearest clean images in the penultimate layer, its own left out, that have its
   * label, by its form; over all classes.
   */
  neighbors: z.object({ clean: z.number(), cw: z.number() }),
  /** Names of the forms. */
  forms: z.object({ clean: z.string(), cw: z.string() }),
});
type Network = z.output<typeof networkSchema>;

const options = z.strictObject({
  ...networkOptions,
  data: mnistOptions.data,
  limit: mnistOptions.limit.unwrap().default(500).describe("number of test images, the first ones"),
  classes: z
    .array(z.int().min(0))
    .min(1)
    .max(SERIES_COLORS.length)
    .default([0, 1, 2, 3])
    .describe("classes whose images are drawn, by their numbers"),
  iterations: z.int().min(1).default(750).describe("steps of t-SNE"),
});
type Options = z.output<typeof options>;

/** Places points (N, 2) by t-SNE; undefined where the signal stopped it. */
async function* placed(
  points: Tensor,
  name: string,
  iterations: number,
  signal: AbortSignal,
): Steps<ProgressEvent, Place[]> {
  const steps = tSne(points, { seed: 0, iterations });
  for (let step = steps.next(); ; step = steps.next()) {
    await turn();
    if (signal.aborted) {
      steps.return(points);
      return undefined;
    }
    if (step.done === true) {
      using found = { tensor: step.value, [Symbol.dispose]: () => step.value.dispose() };
      return placesFrom(found.tensor);
    }
    const { iteration: done, iterations: total, divergence } = step.value;
    const metrics = { divergence: divergence.toFixed(3) };
    yield { type: "progress", work: `t-SNE, ${name}`, done, total, metrics };
  }
}

/** Percent of the ten nearest clean images of others that have an image's label, by the image's form. */
export function neighborsOf({ labels, activations }: Pick<Representation, "labels" | "activations">) {
  const known = { at: activations.clean, labels };
  return forEachForm((form) => {
    const share = neighborAgreement({ at: activations[form], labels }, known, 10, true);
    return Math.round(1000 * share) / 10;
  });
}

async function* drawn(
  { row, data, representation }: RepresentedRow,
  given: Options,
  signal: AbortSignal,
): Steps<ProgressEvent, Network> {
  const { classes, iterations } = given;
  using chosen = chosenOf(representation, classes);
  const places = yield* placed(chosen.points, row.title, iterations, signal);
  if (places === undefined) return undefined;
  const { labels } = chosen;
  const colors = labels.map((label) => SERIES_COLORS[classes.indexOf(label)]!);
  return {
    ...row,
    classNames: classes.map((label) => data.classNames[label]!),
    labels,
    places: { clean: places.slice(0, labels.length), cw: places.slice(labels.length) },
    pictures: picturesOf(chosen, places, colors),
    neighbors: neighborsOf(representation),
    forms: forEachForm((form) => formTitle(form, data)),
  };
}

/** Least images of t-SNE, which wants more than three times its perplexity of 30 in both forms together. */
const leastDrawn = 46;

/** Throws a RangeError for a class that is not there or given twice, and for too few images of them. */
function checkClasses(data: Dataset, classes: readonly number[], limit: number): void {
  const most = data.classNames.length - 1;
  const unknown = classes.find((label) => label > most);
  if (unknown !== undefined) throw new RangeError(`classes: ${unknown} is not in 0 .. ${most}`);
  const known = new Set(classes);
  const twice = classes.find((label, i) => classes.indexOf(label) !== i);
  if (twice !== undefined) throw new RangeError(`classes: ${twice} is given twice; give each class once`);
  const found = [...data.test.labels.subarray(0, limit)].filter((label) => known.has(label)).length;
  if (found < leastDrawn) {
    throw new RangeError(
      `limit: ${limit} test images have ${found} of the classes that are drawn, and t-SNE needs ` +
        `${leastDrawn}; ask for more images or classes`,
    );
  }
}

/** Figure 2: the penultimate layer by t-SNE, clean images and images under C&W, each drawn at its place. */
// paper: does not say which four classes, nor how many images.
export const figure2 = defineTable("figure2", {
  summary: "the penultimate layer by t-SNE, clean images and under C&W, of networks (A), (B) and (C)",
  title: "Figure 2: the penultimate layer by t-SNE, clean images and images under C&W placed together",
  options,
  data: z.object({ networks: z.array(networkSchema).min(1) }),
  cells(given) {
    checkClasses(given.data, given.classes, given.limit);
    return representationPlan(given, [given.data]).cells;
  },
  async *gather(given, found) {
    const plan = representationPlan(given, [given.data]);
    const make = (each: RepresentedRow) => drawn(each, given, found.signal);
    const networks = yield* eachRepresentation(plan, given.limit, found, make);
    return networks === undefined ? undefined : { networks };
  },
  show({ networks }) {
    const panels = networks.flatMap(({ title: column, pictures, forms }) =>
      shownAs.map((form) => ({ row: forms[form], column, png: pictures[form] })),
    );
    const notes = [settingText(networks), ...networks.map(neighborsText)];
    const chart = picturePanels(panels, {
      title: "The penultimate layer by t-SNE: clean images and images under C&W, placed together",
      subtitle: notes,
      legend: networks[0]!.classNames.map((name, i) => ({ name, color: SERIES_COLORS[i]! })),
    });
    return { chart, notes };
  },
});

function neighborsText(network: Network): string {
  const { title, neighbors } = network;
  const [clean, attacked] = shownAs.map((form) => accuracyText(network, form));
  return (
    `${title}: of a clean image's ten nearest clean images ${neighbors.clean} % have its label, ` +
    `of an attacked image's ${neighbors.cw} %; accuracy ${clean} and ${attacked}.`
  );
}

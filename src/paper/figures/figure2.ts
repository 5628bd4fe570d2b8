import { setImmediate as turn } from "node:timers/promises";
import * as z from "zod";
import { neighborAgreement, tSne } from "../../analysis/index.js";
import type { Steps } from "../../base/index.js";
import { noGrad, operators as ops, scope } from "../../engine/index.js";
import { scatterPanels } from "../../report/index.js";
import { measuredRowSchema } from "../accuracy/data.js";
import {
  accuracyText,
  representationOptions,
  representationPlan,
  representations,
  settingText,
} from "../representation/networks.js";
import { forEachForm, type Representation, type ShownAs, shownAs } from "../representation/representation.js";
import { defineTable, type ProgressEvent } from "../table.js";

/** Forms that are placed, together: FGSM's images would hide the others, and have their numbers. */
const placed = ["clean", "pgd"] as const satisfies readonly ShownAs[];

const place = z.tuple([z.number(), z.number()]);
const percents = z.object({ clean: z.number(), fgsm: z.number(), pgd: z.number() });

/** Row with the places of its images in the plane, in hundredths. */
const networkSchema = measuredRowSchema.extend({
  labels: z.array(z.int()),
  places: z.object({ clean: z.array(place), pgd: z.array(place) }),
  /**
   * Percent of an image's ten nearest clean images in the penultimate layer that have its label, by its form.
   */
  neighbors: percents,
});

const data = z.object({ networks: z.array(networkSchema).min(1) });
type Network = z.output<typeof networkSchema>;

const options = representationOptions.extend({
  iterations: z.int().min(1).default(750).describe("steps of t-SNE"),
});

/** Places a model's images, clean and attacked together, by t-SNE. */
async function* placesOf(
  { activations }: Representation,
  name: string,
  iterations: number,
  signal: AbortSignal,
): Steps<ProgressEvent, Network["places"]> {
  const points = noGrad(() =>
    scope(() =>
      ops.cat(
        placed.map((form) => activations[form]),
        0,
      ),
    ),
  );
  try {
    const steps = tSne(points, { seed: 0, iterations });
    for (let step = steps.next(); ; step = steps.next()) {
      await turn();
      if (signal.aborted) {
        steps.return(points);
        return undefined;
      }
      if (step.done === true) {
        const flat = step.value.toNumbers();
        step.value.dispose();
        const count = activations.clean.shape[0]!;
        const at = (part: number) =>
          Array.from({ length: count }, (_, i): [number, number] => {
            const index = 2 * (part * count + i);
            return [hundredths(flat[index]!), hundredths(flat[index + 1]!)];
          });
        return { clean: at(0), pgd: at(1) };
      }
      const { iteration: done, iterations: total, divergence } = step.value;
      yield {
        type: "progress",
        work: `t-SNE, ${name}`,
        done,
        total,
        metrics: { divergence: divergence.toFixed(3) },
      };
    }
  } finally {
    points.dispose();
  }
}

const hundredths = (value: number) => Math.round(100 * value) / 100;

/** Percent of the ten nearest clean images that have an image's label, by the image's form. */
function neighborsOf({ labels, activations }: Representation) {
  const known = { at: activations.clean, labels };
  return forEachForm((form) => {
    const share = neighborAgreement({ at: activations[form], labels }, known, 10, form === "clean");
    return Math.round(1000 * share) / 10;
  });
}

/** Figure 2: the penultimate layer by t-SNE, clean images and attacked ones. */
// paper: attacks by C&W, and shows a network without defense as well.
export const figure2 = defineTable("figure2", {
  summary: "the penultimate layer by t-SNE, clean images and attacked ones, full precision beside SQA",
  title: "Figure 2: the penultimate layer by t-SNE, clean images and attacked ones placed together",
  options,
  data,
  cells: (given) => representationPlan(given).cells,
  async *gather(given, found) {
    const networks: Network[] = [];
    for (const { row, representation } of representations(given, found)) {
      using seen = representation;
      const places = yield* placesOf(seen, row.title, given.iterations, found.signal);
      if (places === undefined) return undefined;
      networks.push({ ...row, labels: [...seen.labels.toNumbers()], places, neighbors: neighborsOf(seen) });
    }
    return { networks };
  },
  show({ networks }, given) {
    const panels = networks.flatMap(({ title: row, labels, places }) =>
      placed.map((form) => ({
        row,
        column: shownAs.find(({ key }) => key === form)!.title,
        points: places[form].map(([x, y], i) => ({ x, y, group: String(labels[i]) })),
      })),
    );
    const notes = [
      `${settingText(networks, given)}, by class.`,
      ...networks.map((network) => {
        const { title, neighbors } = network;
        return (
          `${title}: of a clean image's ten nearest clean images ${neighbors.clean} % have its label, ` +
          `of an attacked image's ${neighbors.pgd} %; ` +
          `accuracy ${accuracyText(network, "clean")} and ${accuracyText(network, "pgd")}.`
        );
      }),
    ];
    const title = "The penultimate layer by t-SNE, clean images and attacked ones placed together";
    return { chart: scatterPanels(panels, { title, subtitle: notes }), notes };
  },
});

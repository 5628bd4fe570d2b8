import { type TSneProgress, tSne } from "../analysis/t-sne.js";
import { noGrad, operators as ops, scope } from "../engine/index.js";
import { type ScatterPanel, scatterPanels } from "../report/panels.js";
import { kindTitle, type NetworkKind } from "./network-kinds.js";
import {
  agreement,
  type Representation,
  type RepresentationOptions,
  type ShownAs,
  shownAs,
} from "./representations.js";

/** A network's clean and attacked images as places in the plane, rounded to hundredths, and what numbers say of them. */
export interface Figure2Network {
  readonly name: string;
  readonly labels: readonly number[];
  readonly places: Readonly<Partial<Record<ShownAs, readonly (readonly [number, number])[]>>>;
  /** Percent of images that the network gets right. */
  readonly accuracy: Readonly<Record<ShownAs, number>>;
  /** Percent of an image's ten nearest clean images, in the penultimate layer, that have its label. */
  readonly neighbors: Readonly<Record<ShownAs, number>>;
}

/** What is placed, together: FGSM's images would hide the others, and have their numbers. */
const placed = ["clean", "pgd"] as const satisfies readonly ShownAs[];

const percent = (share: number) => Math.round(1000 * share) / 10;

/** Places a network's images by t-SNE; yields how far it is. */
export function* figure2Network(
  kind: NetworkKind,
  found: Representation,
  iterations?: number,
): Generator<TSneProgress, Figure2Network> {
  const points = noGrad(() =>
    scope(() =>
      ops.cat(
        placed.map((shown) => found.shown[shown].activations),
        0,
      ),
    ),
  );
  const places = yield* tSne(points, { seed: 0, ...(iterations === undefined ? {} : { iterations }) });
  points.dispose();
  const flat = places.toNumbers();
  places.dispose();
  const count = found.labels.size;
  const of = (part: number) =>
    Array.from({ length: count }, (_, i) => {
      const at = 2 * (part * count + i);
      return [flat[at]!, flat[at + 1]!].map((value) => Math.round(100 * value) / 100) as [number, number];
    });
  const each = (value: (shown: ShownAs) => number) =>
    Object.fromEntries(shownAs.map(({ key }) => [key, percent(value(key))])) as Record<ShownAs, number>;
  return {
    name: kindTitle(kind),
    labels: [...found.labels.toNumbers()],
    places: Object.fromEntries(placed.map((shown, part) => [shown, of(part)])),
    accuracy: each((shown) => found.shown[shown].accuracy),
    neighbors: each((shown) => agreement(found, shown)),
  };
}

/** The figure as a vega-lite chart: a row a network, a column what its images are shown as. */
export function figure2Chart(networks: readonly Figure2Network[], options: RepresentationOptions) {
  const panels: ScatterPanel[] = networks.flatMap(({ name, labels, places }) =>
    placed.map((shown) => ({
      row: name,
      column: shownAs.find(({ key }) => key === shown)!.title,
      points: places[shown]!.map(([x, y], i) => ({ x, y, group: String(labels[i]) })),
    })),
  );
  const { network, preset, epochs, images } = options;
  return scatterPanels(panels, {
    title: "The penultimate layer by t-SNE, clean images and attacked ones placed together",
    subtitle: [
      `${network.toUpperCase()} on MNIST, trained on FGSM images, recipe ${preset}, ${epochs} epochs, seed 0; ${images} test images, by class.`,
      ...networks.map(
        ({ name, neighbors, accuracy }) =>
          `${name}: of an image's ten nearest clean ones ${neighbors.clean} % have its label, of an attacked one's ${neighbors.pgd} %; answered right: ${accuracy.clean} and ${accuracy.pgd} %.`,
      ),
    ],
  });
}

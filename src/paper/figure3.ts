import { noGrad, operators as ops, scope, type Tensor } from "../engine/index.js";
import { type HeatPanel, heatPanels } from "../report/panels.js";
import { kindTitle, type NetworkKind } from "./network-kinds.js";
import { type Representation, type RepresentationOptions, type ShownAs, shownAs } from "./representations.js";

/** A network's penultimate layer: each unit's mean over the images of a class, as a share of the network's largest clean one. */
export interface Figure3Network {
  readonly name: string;
  /** By what images are shown as, `[class][unit]`; units in the order of the class whose clean images they answer most. */
  readonly means: Readonly<Record<ShownAs, readonly (readonly number[])[]>>;
  /** Mean over images of how far the activations move, as a share of the clean ones' length. */
  readonly moved: Readonly<Record<ShownAs, number>>;
}

/** Means by class of the activations (N, D), (classes, D). */
function classMeans(activations: Tensor, labels: Tensor, classes: number): Tensor {
  const rows = ops.arange(0, classes).unsqueeze(1).eq(labels.unsqueeze(0)).to("float32");
  return rows.matmul(activations).div(rows.sumDim([1], true).clamp(1));
}

/** What a network's penultimate layer shows of its images. */
export function figure3Network(kind: NetworkKind, { labels, shown: as }: Representation): Figure3Network {
  const classes = Math.max(...labels.toNumbers()) + 1;
  return noGrad(() =>
    scope(() => {
      const clean = classMeans(as.clean.activations, labels, classes);
      const units = clean.shape[1]!;
      const highest = clean.amax([0]).toNumbers();
      // Units that no class brings to answer come last.
      const favorites = clean
        .argmax(0)
        .toNumbers()
        .map((favorite, unit) => (highest[unit]! > 0 ? favorite : classes));
      const order = Array.from({ length: units }, (_, unit) => unit).sort((a, b) => favorites[a]! - favorites[b]!);
      const largest = clean.amax().item() || 1;
      const means = (shown: ShownAs) => {
        const values = classMeans(as[shown].activations, labels, classes).toNumbers();
        return Array.from({ length: classes }, (_, row) =>
          order.map(
            (unit) => Math.round(1000 * Math.min(1, Math.max(0, values[row * units + unit]! / largest))) / 1000,
          ),
        );
      };
      const length = (of: Tensor) => of.square().sumDim([1]).sqrt();
      const moved = (shown: ShownAs) =>
        length(as[shown].activations.sub(as.clean.activations))
          .div(length(as.clean.activations).clamp(1e-12))
          .mean()
          .item();
      const each = <Value>(value: (shown: ShownAs) => Value) =>
        Object.fromEntries(shownAs.map(({ key }) => [key, value(key)])) as Record<ShownAs, Value>;
      return {
        name: kindTitle(kind),
        means: each(means),
        moved: each((shown) => Math.round(1000 * moved(shown)) / 1000),
      };
    }),
  );
}

/** The figure as a vega-lite chart: a row a network, a column what its images are shown as. */
export function figure3Chart(networks: readonly Figure3Network[], options: RepresentationOptions) {
  const panels: HeatPanel[] = networks.flatMap(({ name, means }) =>
    shownAs.map(({ key, title }) => ({ row: name, column: title, values: means[key] })),
  );
  const { network, preset, epochs, images } = options;
  return heatPanels(panels, {
    title: "Activations of the penultimate layer, by class",
    subtitle: [
      `${network.toUpperCase()} on MNIST, trained on FGSM images, recipe ${preset}, ${epochs} epochs, seed 0; means over ${images} test images.`,
      ...networks.map(
        ({ name, moved }) => `${name}: FGSM moves them by ${moved.fgsm}, PGD by ${moved.pgd} of their length.`,
      ),
    ],
    x: "unit, by its strongest class",
    y: "class",
  });
}

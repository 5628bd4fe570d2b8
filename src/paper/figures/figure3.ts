import * as z from "zod";
import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import { heatPanels } from "../../report/index.js";
import { measuredRowSchema } from "../accuracy/data.js";
import {
  representationOptions,
  representationPlan,
  representations,
  settingText,
} from "../representation/networks.js";
import { forEachForm, type Representation, type ShownAs, shownAs } from "../representation/representation.js";
import { defineTable } from "../table.js";

const map = z.array(z.array(z.number()));

/** Row with the activations of its penultimate layer. */
const networkSchema = measuredRowSchema.extend({
  /**
   * By form, `[class][unit]`: mean over the images of a class, as a share of the model's largest clean mean.
   * Units stand in the order of the class that activates them most.
   */
  means: z.object({ clean: map, fgsm: map, pgd: map }),
  /**
   * Length of the activations' change as a share of the clean ones' length, the mean over images, by form.
   */
  moved: z.object({ clean: z.number(), fgsm: z.number(), pgd: z.number() }),
});

const data = z.object({ networks: z.array(networkSchema).min(1) });
type Network = z.output<typeof networkSchema>;

/** Means by class of activations (N, D): (classes, D). */
function classMeans(activations: Tensor, labels: Tensor, classes: number): Tensor {
  const rows = ops.arange(0, classes).unsqueeze(1).eq(labels.unsqueeze(0)).to("float32");
  return rows.matmul(activations).div(rows.sumDim([1], true).clamp(1));
}

/**
 * Order of the units (classes, D): by the class that activates them most, those that no class activates last.
 */
function unitOrder(clean: Tensor): number[] {
  const [classes, units] = clean.shape;
  const highest = clean.amax([0]).toNumbers();
  const favorites = clean
    .argmax(0)
    .toNumbers()
    .map((favorite, unit) => (highest[unit]! > 0 ? favorite : classes!));
  return Array.from({ length: units! }, (_, unit) => unit).sort((a, b) => favorites[a]! - favorites[b]!);
}

const thousandths = (value: number) => Math.round(1000 * value) / 1000;

/** Activations of a model by class, and how far attacks move them. */
export function activationMaps({ labels, activations }: Representation): Pick<Network, "means" | "moved"> {
  const classes = Math.max(...labels.toNumbers()) + 1;
  // Squares of tiny activations are not in float32.
  const lengthOf = (of: Tensor) => of.to("float64").square().sumDim([1]).sqrt();
  return noGrad(() =>
    scope(() => {
      const clean = classMeans(activations.clean, labels, classes);
      const order = unitOrder(clean);
      const largest = clean.amax().item() || 1;
      const means = (form: ShownAs) => {
        const values = classMeans(activations[form], labels, classes).toNumbers();
        const share = (row: number, unit: number) => values[row * order.length + unit]! / largest;
        return Array.from({ length: classes }, (_, row) =>
          order.map((unit) => thousandths(Math.min(1, Math.max(0, share(row, unit))))),
        );
      };
      const moved = (form: ShownAs) => {
        const shares = lengthOf(activations[form].sub(activations.clean)).div(lengthOf(activations.clean));
        // An image without any activation has no length to compare with.
        const found = [...shares.toNumbers()].filter(Number.isFinite);
        return thousandths(found.reduce((sum, share) => sum + share, 0) / Math.max(1, found.length));
      };
      return { means: forEachForm(means), moved: forEachForm(moved) };
    }),
  );
}

/** Figure 3: activations of the penultimate layer by class, on clean images and attacked ones. */
// paper: attacks by C&W, shows a network without defense and CIFAR-10 as well.
export const figure3 = defineTable("figure3", {
  summary: "the penultimate layer by class, clean images and attacked ones, full precision beside SQA",
  title: "Figure 3: activations of the penultimate layer by class",
  options: representationOptions,
  data,
  cells: (given) => representationPlan(given).cells,
  gather(given, found) {
    const networks: Network[] = [];
    for (const { row, representation } of representations(given, found)) {
      using seen = representation;
      networks.push({ ...row, ...activationMaps(seen) });
    }
    return { networks };
  },
  show({ networks }, given) {
    const panels = networks.flatMap(({ title: row, means }) =>
      shownAs.map(({ key, title: column }) => ({ row, column, values: means[key] })),
    );
    const notes = [
      `${settingText(networks, given)}, the means by class.`,
      ...networks.map(
        ({ title, moved }) =>
          `${title}: FGSM moves the activations by ${moved.fgsm}, PGD by ${moved.pgd} of their length.`,
      ),
    ];
    const chart = heatPanels(panels, {
      title: "Activations of the penultimate layer, by class",
      subtitle: notes,
      x: "unit, by its strongest class",
      y: "class",
    });
    return { chart, notes };
  },
});

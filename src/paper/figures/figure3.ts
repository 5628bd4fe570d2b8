import * as z from "zod";
import { cifar10, mnist } from "../../datasets/index.js";
import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import { heatPanels } from "../../report/index.js";
import { chartNames, joinedRows, measuredRowSchema } from "../accuracy/data.js";
import { paperName } from "../expected.js";
import { dataset, sizeOptions } from "../options.js";
import {
  accuracyText,
  eachRepresentation,
  networkOptions,
  representationPlan,
  settingText,
} from "../representation/networks.js";
import {
  forEachForm,
  formTitle,
  type Representation,
  type ShownAs,
  shownAs,
} from "../representation/representation.js";
import { defineTable } from "../table.js";

const map = z.array(z.array(z.number()));

/** Row with the activations of its penultimate layer. */
const networkSchema = measuredRowSchema.extend({
  /**
   * By form, `[class][unit]`: mean over the images of a class, as a share of the model's largest clean mean.
   * Units stand in the order of the class that activates them most.
   */
  means: z.object({ clean: map, cw: map }),
  /**
   * Length of the activations' change under C&W as a share of the clean ones' length, the mean over images.
   */
  moved: z.number(),
  /** Names of the forms. */
  forms: z.object({ clean: z.string(), cw: z.string() }),
});
type Network = z.output<typeof networkSchema>;
const dataSchema = z.object({ networks: z.array(networkSchema).min(1) });

const options = z.strictObject({
  ...networkOptions,
  data: z
    .array(dataset)
    .min(1)
    .default(() => [mnist(), cifar10()])
    .describe("data sets"),
  limit: sizeOptions.limit,
});

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

/** Activations of a model by class, and how far C&W moves them. */
export function activationMaps({ labels, activations }: Representation): Pick<Network, "means" | "moved"> {
  const classes = Math.max(...labels.toNumbers()) + 1;
  // Squares of tiny activations are not in float32.
  const lengthOf = (of: Tensor) => of.to("float64").square().sumDim([1]).sqrt();
  return noGrad(() =>
    scope(() => {
      const clean = classMeans(activations.clean, labels, classes);
      const order = unitOrder(clean);
      // Means of activations that are all below 0, as without a ReLU, are shown as 0.
      const largest = Math.max(0, clean.amax().item()) || 1;
      const means = (form: ShownAs) => {
        const values = classMeans(activations[form], labels, classes).toNumbers();
        const share = (row: number, unit: number) => values[row * order.length + unit]! / largest;
        return Array.from({ length: classes }, (_, row) =>
          order.map((unit) => thousandths(Math.min(1, Math.max(0, share(row, unit))))),
        );
      };
      const change = lengthOf(activations.cw.sub(activations.clean));
      const shares = change.div(lengthOf(activations.clean)).toNumbers();
      // An image without any activation has no length to compare with.
      const found = [...shares].filter(Number.isFinite);
      const moved = thousandths(found.reduce((sum, share) => sum + share, 0) / Math.max(1, found.length));
      return { means: forEachForm(means), moved };
    }),
  );
}

/** Figure 3: activations of the penultimate layer by class, on clean images and under C&W. */
export const figure3 = defineTable("figure3", {
  summary: "the penultimate layer by class, clean images and under C&W, of networks (A), (B) and (C)",
  title: "Figure 3: activations of the penultimate layer by class",
  options,
  data: dataSchema,
  cells: (given) => representationPlan(given, given.data).cells,
  async *gather(given, found) {
    const plan = representationPlan(given, given.data);
    const networks = yield* eachRepresentation(plan, given.limit, found, ({ row, data, representation }) => ({
      ...row,
      ...activationMaps(representation),
      forms: forEachForm((form) => formTitle(form, data)),
    }));
    return networks === undefined ? undefined : { networks };
  },
  join: (now, earlier) => ({ networks: joinedRows({ rows: now.networks }, { rows: earlier.networks }).rows }),
  show({ networks }) {
    const names = chartNames(networks);
    const panels = networks.flatMap(({ config, means, forms }, i) =>
      shownAs.map((form) => ({
        row: `${paperName(config.data)}, ${forms[form]}`,
        column: names[i]!,
        values: means[form],
      })),
    );
    const named = networks.map((network, i) => ({ ...network, title: names[i]! }));
    // Networks of one precision were made together, those of another may be of an earlier file.
    const togetherOf = ({ config }: Network) => `${config.data} ${config.precision}`;
    const notes = [...new Set(named.map(togetherOf))].flatMap((together) => {
      const rows = named.filter((network) => togetherOf(network) === together);
      const [{ config }] = rows as [Network];
      const isOne = named.every(
        (other) => other.config.data !== config.data || togetherOf(other) === together,
      );
      return [settingText(rows) + (isOne ? "" : ` In ${config.precision}.`), ...rows.map(movedText)];
    });
    const chart = heatPanels(panels, {
      title: "Activations of the penultimate layer, means by class",
      subtitle: notes,
      x: "unit, by its strongest class",
      y: "class",
      scale: "mean, as a share of the largest clean mean",
    });
    return { chart, notes };
  },
});

function movedText(network: Network): string {
  const { title, moved } = network;
  const [clean, attacked] = shownAs.map((form) => accuracyText(network, form));
  const change = `C&W moves the activations by ${moved} of their length`;
  return `${title}: ${change}; accuracy ${clean} and ${attacked}.`;
}

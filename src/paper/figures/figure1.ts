import * as z from "zod";
import { fgsm } from "../../attacks/index.js";
import { countText } from "../../base/index.js";
import { mnist } from "../../datasets/index.js";
import { deterministicQuantization } from "../../defenses/index.js";
import { small } from "../../models/index.js";
import { lineChart } from "../../report/index.js";
import { standard } from "../../training/index.js";
import { defineAccuracyTable } from "../accuracy/accuracy-table.js";
import { type AccuracyColumn, clean } from "../accuracy/column.js";
import { chartNames, type MeasuredRow } from "../accuracy/data.js";
import { sizeOptions } from "../options.js";

/** Lines of the figure: deterministic binary quantization after one layer, or after none. */
const lines = [
  { key: "none", title: "not quantized", layer: undefined },
  { key: "layer1", title: "quantized after layer 1", layer: "relu1" },
  { key: "layer2", title: "quantized after layer 2", layer: "relu2" },
  { key: "layer3", title: "quantized after layer 3", layer: "relu3" },
] as const;

/** Points of a line, by their epsilon. */
const points: readonly { readonly epsilon: number; readonly column: AccuracyColumn }[] = [
  { epsilon: 0, column: clean },
  ...[0.05, 0.1, 0.15, 0.2, 0.25, 0.3].map((epsilon) => ({
    epsilon,
    column: { key: `fgsm-${epsilon}`, title: `FGSM ${epsilon}`, attack: fgsm({ epsilon }) },
  })),
];

function seriesOf({ measured }: MeasuredRow, name: string) {
  const share = (percent: number) => percent / 100;
  return {
    name,
    points: points.flatMap(({ epsilon: x, column }) => {
      const found = measured[column.key];
      if (found === undefined) return [];
      const [low, high] = found.interval ?? [Math.min(...found.values), Math.max(...found.values)];
      return [{ x, y: share(found.mean), low: share(low), high: share(high) }];
    }),
  };
}

/** Training and bands of a line in words. */
function mannerOf({ config, seeds: { length } }: MeasuredRow): string {
  const bands =
    length === 1
      ? "seed 0; bands are 95 % intervals"
      : `means of ${length} seeds; bands go from the lowest to the highest`;
  return `${countText(config.epochs, "epoch")} on clean images, ${bands}`;
}

/** Lines in words: those of an earlier file may have been made otherwise. */
function mannersOf(rows: readonly MeasuredRow[]): string[] {
  const manners = [...new Set(rows.map(mannerOf))];
  if (manners.length === 1) return [`SMALL on MNIST, ${manners[0]}`];
  const names = chartNames(rows);
  return ["SMALL on MNIST"].concat(
    manners.map((manner) => {
      const lines = names.filter((_, i) => mannerOf(rows[i]!) === manner);
      return `${lines.join("; ")}: ${manner}`;
    }),
  );
}

const { epochs, limit, precision, seeds } = sizeOptions;

/** Figure 1: FGSM on SMALL with deterministic binary quantization after one layer. */
// paper: does not say how these networks were trained; clean images show what quantization alone does.
export const figure1 = defineAccuracyTable("figure1", {
  summary: "accuracy of SMALL under FGSM with one layer quantized deterministically",
  title: "Figure 1: accuracy under FGSM with one layer quantized deterministically",
  options: z.strictObject({
    epochs: epochs.unwrap().default(5).describe("epochs of training"),
    seeds: seeds.unwrap().default(1).describe("seeds of each line, from 0"),
    limit,
    precision,
  }),
  columns: points.map(({ column }) => column),
  rows: (options) =>
    lines.map(({ key, title, layer }) => ({
      key,
      title,
      train: {
        model: small(),
        data: mnist(),
        method: standard(),
        epochs: options.epochs,
        precision: options.precision,
        // At a peak of 0.05 the network with its third layer quantized died to a constant output.
        schedule: "one-cycle(peak=0.02)",
        defenses: layer === undefined ? [] : [deterministicQuantization({ layers: { [layer]: 1 } })],
      },
      seeds: options.seeds,
    })),
  chart: (rows) =>
    lineChart({
      title: "Accuracy under FGSM with one layer quantized deterministically",
      subtitle: mannersOf(rows),
      x: { label: "epsilon (l-infinity, pixels in [0, 1])" },
      y: { label: "accuracy", percent: true },
      series: chartNames(rows).map((name, i) => seriesOf(rows[i]!, name)),
    }),
});

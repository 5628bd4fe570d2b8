import { penultimate } from "../../analysis/index.js";
import { fgsm, pgd } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import { type Batch, type Split, TensorSplit } from "../../datasets/index.js";
import { noGrad, scope, type Tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import { type AccuracyColumn, clean } from "../accuracy/column.js";

/** Forms in which the figures show test images: as they are, and under two attacks. */
export const shownAs = [
  { ...clean, key: "clean" },
  { key: "fgsm", title: "FGSM 0.3", attack: fgsm({ epsilon: 0.3 }) },
  { key: "pgd", title: "PGD 0.3", attack: pgd({ epsilon: 0.3, stepSize: 0.01, steps: 40 }) },
] as const satisfies readonly AccuracyColumn[];

export type ShownAs = (typeof shownAs)[number]["key"];

/** Value for each form in which images are shown. */
export function forEachForm<Value>(value: (form: ShownAs) => Value): Record<ShownAs, Value> {
  return Object.fromEntries(shownAs.map(({ key }) => [key, value(key)])) as Record<ShownAs, Value>;
}

/** Penultimate layer of a model: labels (N), and by form its activations (N, D), all on the CPU. */
export interface Representation extends Disposable {
  readonly labels: Tensor;
  readonly activations: Readonly<Record<ShownAs, Tensor>>;
}

/**
 * Penultimate layer of a model for the first images of a split, clean and attacked. A randomized model
 * answers in one draw, which no attack saw.
 *
 * @throws TypeError for a model that is no sequence of layers
 */
export function representationOf(
  model: Model,
  split: Split,
  { images, device }: { readonly images: number; readonly device: string },
): Representation {
  const data = new TensorSplit(split, { device });
  try {
    model.module.to(device);
    const { labels, activations } = scope(() => {
      const batch = data.range(0, images);
      const seen = forEachForm((form) => scope(() => activationsOf(model, batch, form)));
      return { labels: batch.labels.to({ device: "cpu" }), activations: seen };
    });
    const dispose = () => {
      for (const tensor of [labels, ...Object.values(activations)]) tensor.dispose();
    };
    return { labels, activations, [Symbol.dispose]: dispose };
  } finally {
    data.dispose();
  }
}

function activationsOf(model: Model, { images, labels, imageIds }: Batch, form: ShownAs): Tensor {
  const { attack } = shownAs.find(({ key }) => key === form) as AccuracyColumn;
  const context = { seed: deriveSeed(0, "representation", "attack"), imageIds };
  const noise = { seed: deriveSeed(0, "representation", "answer"), draw: 0, imageIds };
  const shown = attack === undefined ? images : attack(model.classifier(), images, labels, context);
  return noGrad(() => penultimate(model.module, shown, { training: false, noise }).to({ device: "cpu" }));
}

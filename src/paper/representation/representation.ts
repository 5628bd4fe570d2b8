import { setImmediate as turn } from "node:timers/promises";
import { penultimate } from "../../analysis/index.js";
import { type Attack, cwLinf } from "../../attacks/index.js";
import { deriveSeed, type Steps } from "../../base/index.js";
import { type Batch, type Dataset, TensorSplit } from "../../datasets/index.js";
import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import { formatRatio } from "../../options/index.js";
import { verifyAdversarial } from "../../trials/index.js";
import type { ProgressEvent } from "../table.js";

/** Forms in which the figures show test images: as they are, and under C&W. */
export const shownAs = ["clean", "cw"] as const;

/** Form in which a figure shows a test image. */
export type ShownAs = (typeof shownAs)[number];

/** Value for each form in which images are shown. */
export function forEachForm<Value>(value: (form: ShownAs) => Value): Record<ShownAs, Value> {
  return Object.fromEntries(shownAs.map((form) => [form, value(form)])) as Record<ShownAs, Value>;
}

type Format = Pick<Dataset, "imageShape" | "epsilon">;

/** Radius of training and attack: the data set's usual, or that of MNIST or CIFAR-10 by its channels. */
export function radiusFor({ imageShape, epsilon }: Format): number {
  return epsilon ?? (imageShape[0] === 1 ? 0.3 : 8 / 255);
}

/** The paper's C&W, as Tables 1 and 2 run it: 40 steps on gray images, 30 on those in color. */
function attackFor(data: Format): Attack {
  const gray = data.imageShape[0] === 1;
  const epsilon = radiusFor(data);
  return cwLinf({ epsilon, stepSize: gray ? 0.01 : 1 / 255, steps: gray ? 40 : 30 });
}

/** Name of a form of a data set's images. */
export function formTitle(form: ShownAs, data: Format): string {
  return form === "clean" ? "clean" : `C&W ${formatRatio(radiusFor(data))}`;
}

/** Penultimate layer of a model for N images, all tensors on the CPU. */
export interface Representation extends Disposable {
  /** (N). */
  readonly labels: Tensor;
  /** Pixels (N, C, H, W), by form. */
  readonly images: Readonly<Record<ShownAs, Tensor>>;
  /** (N, D), by form. */
  readonly activations: Readonly<Record<ShownAs, Tensor>>;
  /** Share of correct answers, in the same draw, by form. */
  readonly accuracy: Readonly<Record<ShownAs, number>>;
}

interface Choice {
  /** Number of test images, the first ones. */
  readonly images: number;
  readonly device: string;
  /** Name of the work in its progress. */
  readonly work: string;
  readonly signal: AbortSignal;
}

/** Images that are attacked at once; results do not depend on it but for their last bits. */
const batchSize = 250;

const partNames = ["labels", "images", "activations", "correct"] as const;
type Part = Readonly<Record<(typeof partNames)[number], Tensor>>;

/**
 * Penultimate layer of a model for the first test images, clean and attacked. A randomized model answers in
 * one draw, which no attack saw. Yields after each batch; undefined where the signal stopped it.
 *
 * @throws TypeError for a model whose last layer is not known
 */
export async function* representationOf(
  model: Model,
  data: Dataset,
  { images: count, device, work, signal }: Choice,
): Steps<ProgressEvent, Representation> {
  const split = new TensorSplit(data.test, { device });
  const attack = attackFor(data);
  const parts: Record<ShownAs, Part[]> = { clean: [], cw: [] };
  const total = Math.min(count, data.test.count);
  try {
    model.module.to(device);
    for (let first = 0; first < total; first += batchSize) {
      await turn();
      if (signal.aborted) return undefined;
      for (const form of shownAs) {
        const size = Math.min(batchSize, total - first);
        parts[form].push(scope(() => kept(seen(model, split.range(first, size), form, attack))));
      }
      yield { type: "progress", work, done: Math.min(first + batchSize, total), total };
    }
    return joined(parts);
  } finally {
    for (const part of shownAs.flatMap((form) => parts[form])) {
      for (const name of partNames) part[name].dispose();
    }
    split.dispose();
  }
}

function seen(model: Model, { images, labels, imageIds }: Batch, form: ShownAs, attack: Attack): Part {
  const context = { seed: deriveSeed(0, "representation", "attack"), imageIds };
  const noise = { seed: deriveSeed(0, "representation", "answer"), draw: 0, imageIds };
  const shown = form === "clean" ? images : attack(model.classifier(), images, labels, context);
  if (form === "cw") verifyAdversarial(attack, images, shown);
  return noGrad(() => ({
    labels,
    images: shown,
    activations: penultimate(model.module, shown, { training: false, noise }),
    correct: model.classifier().logits(shown, noise).argmax(1).eq(labels).to("float32"),
  }));
}

/** Copies on the CPU that stay. */
function kept(part: Part): Part {
  const copy = (tensor: Tensor) => tensor.to({ device: "cpu" }).clone();
  return Object.fromEntries(partNames.map((name) => [name, copy(part[name])])) as Record<keyof Part, Tensor>;
}

function joined(parts: Readonly<Record<ShownAs, readonly Part[]>>): Representation {
  const whole = (form: ShownAs, name: keyof Part) => {
    const all = parts[form].map((part) => part[name]);
    return ops.cat(all, 0);
  };
  const labels = whole("clean", "labels");
  const images = forEachForm((form) => whole(form, "images"));
  const activations = forEachForm((form) => whole(form, "activations"));
  const accuracy = forEachForm((form) => scope(() => whole(form, "correct").mean().item()));
  const dispose = () => {
    for (const tensor of [labels, ...Object.values(images), ...Object.values(activations)]) tensor.dispose();
  };
  return { labels, images, activations, accuracy, [Symbol.dispose]: dispose };
}

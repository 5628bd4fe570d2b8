import { neighborAgreement } from "../analysis/neighbors.js";
import { penultimate } from "../analysis/penultimate.js";
import { parseAttack } from "../attacks/index.js";
import { deriveSeed } from "../base/index.js";
import { datasetByName, TensorSplit } from "../datasets/index.js";
import { noGrad, scope, type Tensor } from "../engine/index.js";
import { networkFromRun } from "../evaluation/index.js";
import type { Model } from "../models/index.js";
import type { Cell } from "./experiment.js";
import type { RecipeName } from "./recipe.js";
import { twinCells } from "./twin.js";

/** Options of the figures that look into networks. */
export interface RepresentationOptions {
  readonly network: "small" | "large";
  readonly preset: RecipeName;
  readonly epochs: number;
  /** Test images. */
  readonly images: number;
}

/** What test images are shown as. */
export const shownAs = [
  { key: "clean", title: "clean", attack: undefined },
  { key: "fgsm", title: "FGSM 0.3", attack: "fgsm(epsilon=0.3)" },
  { key: "pgd", title: "PGD 0.3", attack: "pgd(epsilon=0.3, stepSize=0.01, steps=40)" },
] as const;
export type ShownAs = (typeof shownAs)[number]["key"];

/** The penultimate layer's activations (N, D) of images, and the share of them that the network gets right. */
interface Shown {
  readonly activations: Tensor;
  readonly accuracy: number;
}

/** What a network makes of test images of some labels (N), clean and attacked. */
export interface Representation {
  readonly labels: Tensor;
  readonly shown: Readonly<Record<ShownAs, Shown>>;
}

/** The networks of the figures: seed 0 of the twin's table, in full precision and with SQA, trained and not evaluated. */
export function representationCells({ network, preset, epochs }: RepresentationOptions): Cell[] {
  const seeds = { full: 1, sqa: 1 };
  const cells = twinCells({ network, preset, epochs, seeds, limit: null, strongLimit: null });
  return cells.map((cell) => ({ ...cell, evaluations: [] }));
}

/** What the network of a run makes of test images, clean and attacked; SQA in one draw, which no attack saw. */
export function representationOf(
  run: string,
  options: { images: number; data?: string | undefined; device?: string | undefined },
): Representation {
  const { model, run: opened } = networkFromRun(run);
  const { test } = datasetByName(opened!.config.dataset).load({ folder: options.data });
  const data = new TensorSplit(test, model.inputShape, { device: options.device });
  try {
    model.module.to(options.device ?? "cpu");
    return scope(() => seen(model, data.range(0, options.images)));
  } finally {
    data.dispose();
    model.module.dispose();
  }
}

function seen(model: Model, batch: ReturnType<TensorSplit["range"]>): Representation {
  const { images, labels, imageIds } = batch;
  const classifier = model.classifier();
  const noise = { seed: deriveSeed(0, "representation", "answer"), draw: 0, imageIds };
  const pass = { training: false, quantization: true, noise };
  const of = ({ attack }: (typeof shownAs)[number]): Shown => {
    const context = { seed: deriveSeed(0, "representation", "attack"), imageIds };
    const shown = attack === undefined ? images : parseAttack(attack)(classifier, images, labels, context);
    return noGrad(() => ({
      activations: penultimate(model.module, shown, pass).to({ device: "cpu" }),
      accuracy: classifier.logits(shown, noise).argmax(1).eq(labels).to("float64").mean().item(),
    }));
  };
  const shown = Object.fromEntries(shownAs.map((one) => [one.key, scope(() => of(one))])) as Representation["shown"];
  return { labels: labels.to({ device: "cpu" }), shown };
}

/** Of shown images, the share of the ten nearest clean ones with their label, in the penultimate layer. */
export function agreement({ labels, shown }: Representation, as: ShownAs): number {
  const known = { at: shown.clean.activations, labels };
  return neighborAgreement({ at: shown[as].activations, labels }, known, 10, as === "clean");
}

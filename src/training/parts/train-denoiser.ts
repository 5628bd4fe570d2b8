import * as z from "zod";
import { type Attack, type AttackText, attacks, pgd } from "../../attacks/index.js";
import { deriveSeed, type Work } from "../../base/index.js";
import { type Batch, type Dataset, prepareImages, subset, TensorSplit } from "../../datasets/index.js";
import { denoiserPart, partNotes, UNet } from "../../defenses/index.js";
import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import { sealIn } from "../../files/index.js";
import type { Model } from "../../models/index.js";
import { adam, oneCycle } from "../../nn/index.js";
import { parseOptions, ratio } from "../../options/index.js";
import { configHash } from "../config.js";
import { modelFromRun } from "../run/open-model.js";
import { RunFolder } from "../run/run-folder.js";
import type { OwnParts } from "../run/stored-config.js";
import type { PartEvent } from "./events.js";
import { PartFolder } from "./part-folder.js";
import { checkedPartOptions, type PartOptions, type TrainedPart, trainPart } from "./train-part.js";

/** Options of a denoiser's training, beside the run. */
export const denoiserOptions = {
  attack: attacks
    .option()
    .optional()
    .describe("attack on the model whose images it learns (default: PGD of 7 steps at the usual radius)"),
  epochs: z.int().min(1).max(10_000).default(5).describe("passes over the run's training images"),
  batchSize: z.int().min(1).default(64).describe("images in a step, each clean and attacked"),
  width: denoiserPart.sizes.shape.width.default(16).describe("filters at the images' own size"),
  learningRate: ratio({ above: 0 }).default(0.003).describe("peak of one cycle of the learning rate"),
  seed: z.int().min(0).default(0).describe("seed of weights, shuffling and the attack"),
};

const denoiserConfig = z.strictObject({ run: z.string(), ...denoiserOptions });

/** Everything that decides a denoiser's weights; a run's own model and images are given again. */
export type DenoiserConfig = Omit<z.input<typeof denoiserConfig>, "attack"> &
  OwnParts & {
    /** Folder of the finished run whose model it guards. */
    readonly run: string;
    readonly attack?: Attack | AttackText | undefined;
  };

/** Test images by which it is measured, at most. */
const measuredImages = 500;

/** Model, denoiser and attack of one training. */
interface Guided {
  readonly model: Model;
  readonly denoiser: UNet;
  readonly attack: Attack;
  readonly seed: number;
}

/** Images of an attack on the model alone. */
function attacked(
  { model, attack, seed }: Guided,
  { images, labels, imageIds }: Batch,
  step: number,
): Tensor {
  return attack(model.classifier(), images, labels, { seed: deriveSeed(seed, "denoiser", step), imageIds });
}

/** Pass of the model, or of the denoiser, at images and their attacked form. */
function passOf({ seed }: Guided, imageIds: Tensor, step: number, training: boolean) {
  return { training, noise: { seed: deriveSeed(seed, "denoiser noise"), draw: step, imageIds } };
}

/**
 * Distance in l1 between the logits of clean images and of denoised ones, clean and attacked (Liao et al.,
 * equation 5, of the logits: LGD).
 */
function logitDistance(guided: Guided, batch: Batch, step: number): Tensor {
  const { model, denoiser } = guided;
  const { images, imageIds } = batch;
  const wanted = noGrad(() => model.module.apply(images, passOf(guided, imageIds, step, false)));
  const both = ops.cat([images, attacked(guided, batch, step)], 0);
  const ids = ops.cat([imageIds, imageIds], 0);
  const denoised = denoiser.apply(both, passOf(guided, ids, step, true));
  const found = model.module.apply(denoised, passOf(guided, ids, step, false));
  return found
    .sub(ops.cat([wanted, wanted], 0))
    .abs()
    .mean();
}

/** Accuracy of the guarded model on test images of the attack, which ignores the denoiser. */
function accuracy(guided: Guided, unseen: TensorSplit): number {
  let correct = 0;
  for (let first = 0; first < unseen.count; first += 100) {
    const batch = unseen.range(first, 100);
    correct += scope(() => {
      const pass = passOf(guided, batch.imageIds, 0, false);
      const denoised = guided.denoiser.apply(attacked(guided, batch, 0), pass);
      return guided.model.module.apply(denoised, pass).argmax(1).eq(batch.labels).sum().item();
    });
  }
  return correct / unseen.count;
}

/** Attack that a denoiser learns against where none is given. */
function usualAttack(data: Dataset): Attack {
  const { epsilon } = data;
  if (epsilon !== undefined) return pgd({ epsilon, steps: 7, stepSize: epsilon / 4 });
  throw new RangeError(
    `give an attack such as pgd(epsilon=8/255): data set ${data.name} has no usual radius`,
  );
}

/**
 * Trains a guided denoiser for the model of a finished run, whose weights stay as they are: awaited it gives
 * its folder, which the defense's option `denoiser` takes; watched its events. The measure is the accuracy on
 * test images of the attack on the model alone.
 *
 * The same call goes on with a training that was stopped or killed.
 *
 * @throws RangeError or TypeError for a wrong configuration or an unfinished run, before anything runs
 * @example
 * const { folder } = await trainDenoiser({ run: "runs/mnist-small-plain-standard-seed0-0a1b2c3d" });
 * const defense = guidedDenoiser({ denoiser: folder });
 */
export function trainDenoiser(
  config: DenoiserConfig,
  options: PartOptions = {},
): Work<PartEvent, TrainedPart> {
  const checked = checkedPartOptions(options);
  const { model: ownModel, data: ownData, ...sizing } = { ...config };
  const parts = { model: ownModel, data: ownData };
  const given = parseOptions("training", "denoiser", denoiserConfig, sizing as object);
  const { run, width, seed, epochs, batchSize, learningRate } = given;
  const { config: trained, weights, result } = RunFolder.open(run, parts);
  if (result === undefined)
    throw new RangeError(`run ${run} is not finished: npx sqa train ${run} trains it to its end`);
  const { data } = trained;
  const attack = given.attack ?? usualAttack(data);
  const sizes = { channels: data.imageShape[0], width };
  const ofRun = { run: configHash(trained), weights: sealIn(weights) };
  const facts = { part: denoiserPart.name, ...given, ...ofRun, attack: String(attack), code: attack.code };
  const folder = new PartFolder(checked.runs, `denoiser-${data.name}-seed${seed}`, facts);
  const make = async (signal: AbortSignal) => {
    const split = trained.limit === null ? data.train : subset(data.train, trained.limit);
    const seen = subset(data.test, Math.min(measuredImages, data.test.count));
    for (const part of [split, seen]) await prepareImages(part, { signal });
    const { model } = modelFromRun(run, parts);
    const guided = { model, denoiser: new UNet(sizes, deriveSeed(seed, "denoiser")), attack, seed };
    const images = new TensorSplit(split);
    const unseen = new TensorSplit(seen);
    return {
      module: guided.denoiser,
      notes: partNotes(denoiserPart, sizes),
      images: split.count,
      seed: deriveSeed(seed, "denoiser training"),
      epochs,
      batchSize,
      optimizer: adam(),
      schedule: oneCycle({ peak: learningRate }),
      loss: (positions: Int32Array, step: number) => logitDistance(guided, images.batch(positions), step),
      measure: () => accuracy(guided, unseen),
      dispose() {
        images.dispose();
        unseen.dispose();
        if (model.borrowed !== true) model.module.dispose();
      },
    };
  };
  return trainPart(folder, make, checked);
}

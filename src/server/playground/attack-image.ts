import { attacks } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import { imageIdRange, noGrad, scope, type Tensor, tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import type { PlayAnswers, PlayRequest, PlayResult } from "../api.js";
import type { PlayImage } from "./play-image.js";

/** Draws in which a randomized model answers. */
const draws = 100;

/** Value at a place of sorted values. */
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

/**
 * Answers to an image (1, C, H, W) in every draw; of a deterministic model there is one.
 *
 * @throws RangeError where a model answers with NaN, as one does whose weights are
 */
function answersTo(model: Model, image: Tensor, seed: number): PlayAnswers {
  const classifier = model.classifier();
  const count = classifier.randomized ? draws : 1;
  return scope(() => {
    const copies = image.expand([count, ...model.inputShape]).contiguous();
    const noise = { seed: deriveSeed(seed, "playground"), draw: 0, imageIds: imageIdRange(0, count) };
    const all = noGrad(() => classifier.logits(copies, noise).to("float32").softmax(1)).toArray();
    if (!Array.from(all, Number).every(Number.isFinite))
      throw new RangeError(`model ${model.name} answers with numbers that are not finite, to no class`);
    const classes = Array.from({ length: model.classes }, (_, label) =>
      Array.from({ length: count }, (_, draw) => Number(all[draw * model.classes + label])),
    );
    const said = new Array<number>(model.classes).fill(0);
    for (let draw = 0; draw < count; draw++) {
      const of = classes.map((values) => values[draw]!);
      said[of.indexOf(Math.max(...of))]! += 1 / count;
    }
    const sorted = classes.map((values) => [...values].sort((a, b) => a - b));
    return {
      probabilities: classes.map((values) => values.reduce((sum, value) => sum + value, 0) / count),
      low: sorted.map((values) => quantile(values, 0.05)),
      high: sorted.map((values) => quantile(values, 0.95)),
      said,
    };
  });
}

/** Class of the highest mean probability. */
function mostSaid({ probabilities }: PlayAnswers): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

/** Attacks one image, and tells what the model says before and after. */
export function attackImage(request: PlayRequest, model: Model, shown: PlayImage): PlayResult {
  const begun = performance.now();
  const attack = attacks.parse(request.attack);
  const { pixels } = shown;
  const classifier = model.classifier();
  return scope(() => {
    const image = tensor(pixels, [1, ...model.inputShape]);
    const cleanAnswers = answersTo(model, image, request.seed);
    const label = shown.label ?? mostSaid(cleanAnswers);
    const context = { seed: request.seed, imageIds: imageIdRange(0, 1) };
    const adversarial = attack(classifier, image, tensor(BigInt64Array.of(BigInt(label)), [1]), context);
    const moved = adversarial.toArray() as Float32Array;
    const change = moved.map((value, i) => value - pixels[i]!);
    return {
      shape: model.inputShape,
      classNames: model.classNames,
      label,
      attack: String(attack),
      draws: classifier.randomized ? draws : 1,
      clean: [...pixels],
      adversarial: [...moved],
      cleanAnswers,
      adversarialAnswers: answersTo(model, adversarial, request.seed),
      linf: change.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      l2: Math.sqrt(change.reduce((sum, value) => sum + value * value, 0)),
      seconds: (performance.now() - begun) / 1000,
    };
  });
}

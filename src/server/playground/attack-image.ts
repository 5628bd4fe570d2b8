import { attacks } from "../../attacks/index.js";
import { deriveSeed } from "../../base/index.js";
import type { Dataset } from "../../datasets/index.js";
import { imageIdRange, noGrad, scope, type Tensor, tensor } from "../../engine/index.js";
import type { Model } from "../../models/index.js";
import type { PlayAnswers, PlayRequest, PlayResult } from "../api.js";

/** Draws in which a randomized model answers. */
const draws = 100;

/** Image and label that a request means. RangeError for what is none. */
function imageOf(
  { image }: PlayRequest,
  model: Model,
  data: Dataset,
): { pixels: Float32Array; label: number } {
  const size = model.inputShape.reduce((product, side) => product * side, 1);
  if ("pixels" in image) {
    const { pixels, label } = image;
    if (pixels.length !== size)
      throw new RangeError(`the image has ${pixels.length} pixels; the model takes ${size}`);
    if (label >= model.classes)
      throw new RangeError(`label ${label}: the model has ${model.classes} classes`);
    return { pixels: Float32Array.from(pixels), label };
  }
  const { images, labels, count } = data.test;
  const { position } = image;
  if (position >= count) throw new RangeError(`image ${position}: there are ${count} test images, from 0`);
  const part = images.subarray(position * size, (position + 1) * size);
  const scale = images instanceof Uint8Array ? 255 : 1;
  return { pixels: Float32Array.from(part, (pixel) => pixel / scale), label: labels[position]! };
}

/** Value at a place of sorted values. */
const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;

/** Answers to an image (1, C, H, W) in every draw; of a deterministic model there is one. */
function answersTo(model: Model, image: Tensor, seed: number): PlayAnswers {
  const classifier = model.classifier();
  const count = classifier.randomized ? draws : 1;
  return scope(() => {
    const copies = image.expand([count, ...model.inputShape]).contiguous();
    const noise = { seed: deriveSeed(seed, "playground"), draw: 0, imageIds: imageIdRange(0, count) };
    const all = noGrad(() => classifier.logits(copies, noise).to("float32").softmax(1)).toArray();
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

/** Attacks one image, and tells what the model says before and after. */
export function attackImage(request: PlayRequest, model: Model, data: Dataset): PlayResult {
  const begun = performance.now();
  const attack = attacks.parse(request.attack);
  const { pixels, label } = imageOf(request, model, data);
  const classifier = model.classifier();
  return scope(() => {
    const image = tensor(pixels, [1, ...model.inputShape]);
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
      cleanAnswers: answersTo(model, image, request.seed),
      adversarialAnswers: answersTo(model, adversarial, request.seed),
      linf: change.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      l2: Math.sqrt(change.reduce((sum, value) => sum + value * value, 0)),
      seconds: (performance.now() - begun) / 1000,
    };
  });
}

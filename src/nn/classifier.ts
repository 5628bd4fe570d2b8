import { checkKind } from "../base/index.js";
import { type Noise, noGrad, Tensor } from "../engine/index.js";
import type { Module, Precision } from "./module.js";

/** One pass at images, and the way back to them. */
export interface ImagePass {
  /** (N, classes). */
  readonly logits: Tensor;
  /** The gradient of the sum of the logits times `weights`, (N, classes), with respect to the images. */
  imageGradient(weights: Tensor): Tensor;
}

/**
 * What is attacked and evaluated: images in [0, 1], float32 of shape (N, C, H, W), to logits (N, classes).
 *
 * A randomized classifier draws its noise from the key it is given; a deterministic one ignores it. Logits of an image
 * do not depend on the rest of the batch.
 */
export interface Classifier {
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  readonly randomized: boolean;
  logits(images: Tensor, noise: Noise): Tensor;
  /**
   * The same with a gradient of its own instead of that of `logits`, where the classifier has a faster one; undefined where it has
   * none for these images. The next pass may end what the last one can tell.
   */
  pass?(images: Tensor, noise: Noise): ImagePass | undefined;
  /** Networks whose gradients an attack may take in place of this one's, by name, such as its deterministic twin. */
  readonly substitutes?: Readonly<Record<string, Classifier>>;
}

/** Says what is wrong with images for a classifier, before any native call. */
export function checkImages(model: Pick<Classifier, "inputShape">, images: Tensor): void {
  if (!(images instanceof Tensor)) throw new TypeError(`images must be a tensor, not ${String(images)}`);
  const wanted = model.inputShape;
  if (images.dtype !== "float32") {
    throw new TypeError(`images must be float32 in [0, 1], not ${images.dtype}: divide bytes by 255`);
  }
  if (images.shape.length !== 4 || images.shape.slice(1).join() !== wanted.join()) {
    throw new RangeError(`images must have shape [N, ${wanted.join(", ")}], not [${images.shape.join(", ")}]`);
  }
}

/** Throws a RangeError unless every pixel lies in [0, 1]; NaN does not. */
export function checkPixelRange(images: Tensor): void {
  checkKind("images", images, "a tensor", images instanceof Tensor);
  if (images.size === 0) return;
  const [low, high] = noGrad(() => [images.amin().item(), images.amax().item()]);
  if (!(low! >= 0 && high! <= 1)) throw new RangeError(`pixels must lie in [0, 1], found ${low} .. ${high}`);
}

/** Throws unless labels are int64 of shape (N) within the classes. */
export function checkLabels(model: Pick<Classifier, "classes">, images: Tensor, labels: Tensor): void {
  if (!(labels instanceof Tensor)) throw new TypeError(`labels must be a tensor, not ${String(labels)}`);
  const count = images.shape[0]!;
  if (labels.dtype !== "int64") throw new TypeError(`labels must be int64, not ${labels.dtype}`);
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new RangeError(`labels must have shape [${count}], as many as images, not [${labels.shape.join(", ")}]`);
  }
  if (count === 0) return;
  const [low, high] = [labels.amin().item(), labels.amax().item()];
  if (low < 0 || high >= model.classes) {
    throw new RangeError(`labels must lie in 0 .. ${model.classes - 1}, found ${low} .. ${high}`);
  }
}

/**
 * A network in evaluation mode as a classifier; with `quantization` false, its deterministic twin. `quantizerGradients` names
 * the other gradients that its quantizers know: each becomes a substitute, beside the twin.
 */
export function classifierOf(
  module: Module,
  form: {
    inputShape: readonly [number, number, number];
    classes: number;
    randomized: boolean;
    quantization?: boolean;
    quantizerGradients?: readonly string[];
    precision?: Precision | undefined;
  },
): Classifier {
  const { quantization = true, quantizerGradients = [], precision } = form;
  const seen = (pass: { quantization: boolean; quantizerGradient?: string }): Classifier => ({
    inputShape: form.inputShape,
    classes: form.classes,
    randomized: form.randomized && pass.quantization,
    logits(images, noise) {
      checkImages(form, images);
      return module.apply(images, { ...pass, training: false, noise, precision }).to("float32");
    },
  });
  if (!quantization) return seen({ quantization });
  const others = quantizerGradients.map((name) => [name, seen({ quantization, quantizerGradient: name })] as const);
  const substitutes = { twin: seen({ quantization: false }), ...Object.fromEntries(others) };
  return { ...seen({ quantization }), ...(quantizerGradients.length > 0 ? { substitutes } : {}) };
}

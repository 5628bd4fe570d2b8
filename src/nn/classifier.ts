import { checkKind, shownGiven } from "../base/index.js";
import { enableGrad, grad, type Noise, noGrad, Tensor } from "../engine/index.js";
import type { Precision } from "./bfloat16.js";
import type { Module } from "./module.js";
import { gainsByConstantWeights, isRandomized } from "./module-facts.js";

/** One pass at images, and the way back to them. */
export interface ImagePass {
  /** (N, classes). */
  readonly logits: Tensor;
  /**
   * The gradient of the sum of the logits times `weights`, (N, classes), with respect to the images. The
   * `last` call frees the pass's memory.
   */
  imageGradient(weights: Tensor, last?: boolean): Tensor;
}

/** Levels that a code at the input makes of pixels. */
export interface LevelFacts {
  readonly count: number;
  /** A pixel x in [0, 1] has the level floor(scale * x). */
  readonly scale: number;
}

/** Levels of the pixels, and the classifier behind them. */
export interface PixelLevels extends LevelFacts {
  /**
   * The same classifier for weights of levels in the place of pixels: (N, C * count, H, W), where channel
   * c * count + i is the weight of level i. A pixel's weights are 0 or more and add up to 1.
   */
  readonly behind: Classifier;
}

/**
 * Object of attacks and evaluations: images in [0, 1], float32 of shape (N, C, H, W), to logits (N, classes).
 *
 * A randomized classifier draws its noise from the key it is given; a deterministic one ignores it. Logits of
 * an image do not depend on the rest of the batch.
 */
export interface Classifier {
  readonly inputShape: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  readonly randomized: boolean;
  logits(images: Tensor, noise: Noise): Tensor;
  /**
   * The same with a gradient of its own instead of that of `logits`, where the classifier has a faster one;
   * undefined where it has none for these images, and for a copy of it with other `logits`. The next pass may
   * end what the last one can tell.
   */
  pass?(images: Tensor, noise: Noise): ImagePass | undefined;
  /**
   * Classifiers whose gradients an attack may take in this one's place, by name, such as its noise-free mean.
   */
  readonly surrogates?: Readonly<Record<string, Classifier>>;
  /** Levels of the pixels, where a code of them is all that the classifier sees; undefined for none. */
  readonly levels?: PixelLevels | undefined;
}

/** Says what is wrong with images for a classifier, before any native call. */
export function checkImages(classifier: Pick<Classifier, "inputShape">, images: Tensor): void {
  if (!(images instanceof Tensor)) throw new TypeError(`images must be a tensor, not ${String(images)}`);
  const wanted = classifier.inputShape;
  if (images.dtype !== "float32") {
    throw new TypeError(`images must be float32 in [0, 1], not ${images.dtype}: divide bytes by 255`);
  }
  if (images.shape.length !== 4 || images.shape.slice(1).join() !== wanted.join()) {
    throw new RangeError(
      `images must have shape [N, ${wanted.join(", ")}], not [${images.shape.join(", ")}]`,
    );
  }
}

/**
 * Returns a classifier's answer. Throws a TypeError or RangeError of its own, before anything is asked of the
 * answer, unless that is a tensor of floats of shape (N, classes): who writes a classifier may forget to
 * return one.
 */
export function checkLogits(
  { classes, name = "the classifier" }: Pick<Classifier, "classes"> & { readonly name?: string | undefined },
  images: Tensor,
  logits: unknown,
): Tensor {
  const wanted = `[${images.shape[0]}, ${classes}]`;
  if (!(logits instanceof Tensor)) {
    const given = logits instanceof Promise ? "a Promise: it must not be async" : shownGiven(logits);
    throw new TypeError(`the logits of ${name} must be a tensor of shape ${wanted}, not ${given}`);
  }
  if (!["float32", "float64", "float16", "bfloat16"].includes(logits.dtype)) {
    throw new TypeError(
      `the logits of ${name} must be float32, not ${logits.dtype}: give scores, no classes`,
    );
  }
  if (`[${logits.shape.join(", ")}]` !== wanted) {
    throw new RangeError(`the logits of ${name} must have shape ${wanted}, not [${logits.shape.join(", ")}]`);
  }
  return logits;
}

/** Throws a RangeError unless every pixel lies in [0, 1]; NaN does not. */
export function checkPixelRange(images: Tensor): void {
  checkKind("images", images, "a tensor", images instanceof Tensor);
  if (images.size === 0) return;
  const [low, high] = noGrad(() => [images.amin().item(), images.amax().item()]);
  if (!(low! >= 0 && high! <= 1)) throw new RangeError(`pixels must lie in [0, 1], found ${low} .. ${high}`);
}

/** Throws unless labels are int64 of shape (N) within the classes. */
export function checkLabels(classifier: Pick<Classifier, "classes">, images: Tensor, labels: Tensor): void {
  if (!(labels instanceof Tensor)) throw new TypeError(`labels must be a tensor, not ${String(labels)}`);
  const count = images.shape[0]!;
  if (labels.dtype !== "int64") throw new TypeError(`labels must be int64, not ${labels.dtype}`);
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw new RangeError(
      `labels must have shape [${count}], as many as images, not [${labels.shape.join(", ")}]`,
    );
  }
  if (count === 0) return;
  const [low, high] = [labels.amin().item(), labels.amax().item()];
  if (low < 0 || high >= classifier.classes) {
    throw new RangeError(`labels must lie in 0 .. ${classifier.classes - 1}, found ${low} .. ${high}`);
  }
}

/** Form in which a module is seen as a classifier. */
export interface ClassifierForm {
  /** Name in messages; "the model" where left out. */
  readonly name?: string | undefined;
  readonly inputShape: Classifier["inputShape"];
  readonly classes: number;
  /** Switches quantizers and random weights off; false where left out. */
  readonly noiseFree?: boolean | undefined;
  /** Gradient of quantizers, straight-through where left out. */
  readonly quantizerGradient?: string | undefined;
  /** False leaves images as they are where a purifier or denoiser would change them; true where left out. */
  readonly purified?: boolean | undefined;
  /** Precision that weighted layers compute in; float32 where left out. */
  readonly precision?: Precision | undefined;
  /** Makes the surrogates, when they are first asked for. */
  surrogates?(): Readonly<Record<string, Classifier>>;
  /** Levels of pixels that the module reads, whose weights it takes as well; undefined for none. */
  levels?(): LevelFacts | undefined;
}

/** Form of the classifier behind its levels. Surrogates are those that have levels too. */
function formBehind(form: ClassifierForm, { count }: LevelFacts): ClassifierForm {
  const [channels, height, width] = form.inputShape;
  return {
    ...form,
    inputShape: [channels * count, height, width],
    levels: () => undefined,
    surrogates: () => {
      const behind = Object.entries(form.surrogates?.() ?? {}).map(([name, { levels }]) =>
        levels === undefined ? [] : [[name, levels.behind] as const],
      );
      return Object.fromEntries(behind.flat());
    },
  };
}

/** Pass at images through automatic differentiation. */
function imagePass(images: Tensor, answer: (input: Tensor) => Tensor): ImagePass {
  const input = images.detach().requireGrad();
  const logits = enableGrad(() => answer(input));
  return {
    logits: logits.detach(),
    imageGradient: (weights, last = false) => {
      const sum = enableGrad(() => logits.mul(weights).sum());
      return grad(sum, [input], { keepGraph: !last, unused: "zeros" })[0]!;
    },
  };
}

/** Classifier of a module in evaluation mode. Its logits are float32 in any precision. */
export function classifierOf(module: Module, form: ClassifierForm): Classifier {
  const { inputShape, classes, noiseFree = false, quantizerGradient, purified, precision } = form;
  let surrogates: Readonly<Record<string, Classifier>> | undefined;
  let levels: PixelLevels | null | undefined;
  let gains: boolean | undefined;
  const answer = (images: Tensor, noise: Noise, constantWeights: boolean) => {
    checkImages(form, images);
    const view = { noiseFree, quantizerGradient, purified, precision };
    const pass = { training: false, ...view, noise, constantWeights };
    return checkLogits(form, images, module.apply(images, pass)).to("float32");
  };
  const logits: Classifier["logits"] = (images, noise) => answer(images, noise, false);
  return {
    inputShape,
    classes,
    randomized: !noiseFree && isRandomized(module),
    logits,
    pass(images, noise) {
      // A defense that is written around a copy of this classifier has other gradients.
      if (this.logits !== logits) return undefined;
      gains ??= gainsByConstantWeights(module);
      if (!gains) return undefined;
      return imagePass(images, (input) => answer(input, noise, true));
    },
    get surrogates() {
      surrogates ??= form.surrogates?.() ?? {};
      return surrogates;
    },
    get levels() {
      const facts = levels === undefined ? form.levels?.() : undefined;
      levels ??=
        facts === undefined ? null : { ...facts, behind: classifierOf(module, formBehind(form, facts)) };
      return levels ?? undefined;
    },
  };
}

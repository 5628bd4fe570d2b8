import { countedUniform, noGrad, operators as ops, type Tensor } from "../../../engine/index.js";
import { type Classifier, Module } from "../../../nn/index.js";

/**
 * Activation rounded to steps without a gradient: the shattered gradients of a quantizer without
 * straight-through.
 */
export class HardLevels extends Module {
  constructor(readonly step: number) {
    super();
  }

  protected override forward(input: Tensor): Tensor {
    return input.div(this.step).round().mul(this.step);
  }
}

/**
 * Classifier whose gradient is NaN everywhere, and whose logits are unchanged: 0 times the root of 0 is
 * added.
 */
export function nanGradients(base: Classifier): Classifier {
  const nothing = (images: Tensor) =>
    images.sub(images.detach()).abs().pow(0.5).sumDim([1, 2, 3]).unsqueeze(1);
  return { ...base, logits: (images, noise) => base.logits(images, noise).add(nothing(images).mul(0)) };
}

/** Classifier with its logits multiplied: the cross-entropy saturates, and its gradient vanishes. */
export function scaledLogits(base: Classifier, factor: number): Classifier {
  return { ...base, logits: (images, noise) => base.logits(images, noise).mul(factor) };
}

/** Classifier of images rounded to a few gray levels, without a gradient. */
export function roundedInput(base: Classifier, levels: number): Classifier {
  const round = (images: Tensor) => images.mul(levels).round().div(levels);
  return { ...base, logits: (images, noise) => base.logits(round(images), noise) };
}

/**
 * Classifier whose input gets a ripple of random phase: too low to change an answer, and so steep that a
 * gradient points anywhere.
 */
export function injectedNoise(base: Classifier, height: number, steepness: number): Classifier {
  return {
    ...base,
    randomized: true,
    logits(images, noise) {
      const phases = countedUniform(noise, 2 ** 20, images.shape.slice(1)).mul(2 * Math.PI);
      const rippled = images.add(images.mul(steepness).add(phases).cos().mul(height));
      return base.logits(rippled.clamp(0, 1), noise);
    },
  };
}

/**
 * Classifier that looks up an image's label by its number, and says it with probability p, whatever the
 * pixels are.
 */
export function coin(base: Classifier, labels: Tensor, p: number): Classifier {
  return {
    ...base,
    randomized: true,
    logits(images, noise) {
      const heads = countedUniform(noise, 2 ** 20, []).lt(p);
      const label = labels.indexSelect(0, noise.imageIds);
      const shown = ops.where(
        heads,
        label,
        label.add(1).sub(
          label
            .eq(base.classes - 1)
            .to("int64")
            .mul(base.classes),
        ),
      );
      const logits = ops
        .zeros([images.shape[0]!, base.classes], "float32")
        .scatterValue(1, shown.unsqueeze(1), 10);
      return logits.add(images.mul(0).sumDim([1, 2, 3]).unsqueeze(1));
    },
  };
}

/**
 * Classifier that reads the true label off the perturbation. One pixel for each class lies in the dark first
 * row, and its gradient invites an attack to light the label's, which then shouts it.
 */
export function leakingLabels(base: Classifier, epsilon: number): Classifier {
  return {
    ...base,
    logits(images, noise) {
      const pixels = images.slice(2, 0, 1).flatten(1).slice(1, 0, base.classes);
      const shout = noGrad(() =>
        pixels
          .detach()
          .gt(0.8 * epsilon)
          .to("float32")
          .mul(100),
      );
      return base.logits(images, noise).sub(pixels.mul(10)).add(shout);
    },
  };
}

/** Classifier whose logits are drawn to those of the batch's first image: it has the batch for a memory. */
export function batchMemory(base: Classifier): Classifier {
  return {
    ...base,
    logits(images, noise) {
      const logits = base.logits(images, noise);
      return logits.add(logits.slice(0, 0, 1).mul(0.25));
    },
  };
}

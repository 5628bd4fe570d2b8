import { operators as ops, type Tensor } from "../../../engine/index.js";
import type { Classifier } from "../../../nn/index.js";

/**
 * Classifier that costs nothing, in the form of another. It answers class 0 where `leads` is 1, by far, and
 * any other class where it is -1, with a slight slope in every pixel. One draw is as another.
 *
 * @param leads images (N, C, H, W) to (N, 1)
 */
export function standInFor(attacked: Classifier, leads: (images: Tensor) => Tensor): Classifier {
  const { inputShape, classes, randomized, surrogates, levels } = attacked;
  const self: Classifier = {
    inputShape,
    classes,
    randomized,
    logits(images) {
      const slope = images.flatten(1).sumDim([1], true).mul(1e-3);
      const rest = slope.neg().expand([images.shape[0]!, classes - 1]);
      return ops.cat([slope.add(leads(images).mul(1e3)), rest], 1);
    },
  };
  const names = Object.keys(surrogates ?? {});
  return {
    ...self,
    surrogates: Object.fromEntries(names.map((name) => [name, self])),
    levels: levels && { ...levels, behind: standInFor(levels.behind, leads) },
  };
}

/** Lead of a classifier that nothing fools. */
export function unfoolable(images: Tensor): Tensor {
  return ops.ones([images.shape[0]!, 1]);
}

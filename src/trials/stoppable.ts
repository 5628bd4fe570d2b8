import type { Classifier } from "../nn/classifier.js";

/**
 * The classifier, and its substitutes, that ask before each pass whether they are to stop, and then throw the signal's reason: an
 * attack on a batch may take minutes.
 */
export function stoppable(model: Classifier, signal: AbortSignal | undefined): Classifier {
  if (signal === undefined) return model;
  const { inputShape, classes, randomized, substitutes } = model;
  return {
    inputShape,
    classes,
    randomized,
    logits(images, noise) {
      signal.throwIfAborted();
      return model.logits(images, noise);
    },
    pass(images, noise) {
      signal.throwIfAborted();
      return model.pass?.(images, noise);
    },
    ...(substitutes && { substitutes: stoppables(substitutes, signal) }),
  };
}

/** `stoppable` of each. */
export function stoppables(
  models: Readonly<Record<string, Classifier>>,
  signal: AbortSignal | undefined,
): Readonly<Record<string, Classifier>> {
  return Object.fromEntries(Object.entries(models).map(([name, model]) => [name, stoppable(model, signal)]));
}

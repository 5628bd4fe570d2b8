import type { Classifier } from "../nn/index.js";

/**
 * Classifier that throws the signal's reason before a pass once the signal is aborted, as do its surrogates.
 * An attack on a batch may take minutes.
 */
export function stoppable(model: Classifier, signal: AbortSignal | undefined): Classifier {
  if (signal === undefined) return model;
  const { inputShape, classes, randomized } = model;
  let surrogates: Readonly<Record<string, Classifier>> | undefined;
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
    get surrogates() {
      surrogates ??= stoppables(model.surrogates ?? {}, signal);
      return surrogates;
    },
    get levels() {
      const { levels } = model;
      return levels && { ...levels, behind: stoppable(levels.behind, signal) };
    },
  };
}

/** `stoppable` of each. */
export function stoppables(
  models: Readonly<Record<string, Classifier>>,
  signal: AbortSignal | undefined,
): Readonly<Record<string, Classifier>> {
  return Object.fromEntries(Object.entries(models).map(([name, model]) => [name, stoppable(model, signal)]));
}

import type { Classifier } from "../nn/index.js";

/**
 * Classifier that throws the signal's reason before a pass once the signal is aborted, as do its surrogates.
 * An attack on a batch may take minutes.
 */
export function stoppable(classifier: Classifier, signal: AbortSignal | undefined): Classifier {
  if (signal === undefined) return classifier;
  const { inputShape, classes, randomized } = classifier;
  let surrogates: Readonly<Record<string, Classifier>> | undefined;
  return {
    inputShape,
    classes,
    randomized,
    logits(images, noise) {
      signal.throwIfAborted();
      return classifier.logits(images, noise);
    },
    pass(images, noise) {
      signal.throwIfAborted();
      return classifier.pass?.(images, noise);
    },
    get surrogates() {
      surrogates ??= stoppables(classifier.surrogates ?? {}, signal);
      return surrogates;
    },
    get levels() {
      const { levels } = classifier;
      return levels && { ...levels, behind: stoppable(levels.behind, signal) };
    },
  };
}

/** `stoppable` of each. */
export function stoppables(
  classifiers: Readonly<Record<string, Classifier>>,
  signal: AbortSignal | undefined,
): Readonly<Record<string, Classifier>> {
  return Object.fromEntries(
    Object.entries(classifiers).map(([name, classifier]) => [name, stoppable(classifier, signal)]),
  );
}

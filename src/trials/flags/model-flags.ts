import type { Seed } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import { noGrad, scope, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/index.js";
import { answerFlags, logitsOf } from "./answer-flags.js";
import type { Flag } from "./flag.js";

/** Images that a model is examined on. */
export const flagImages = 16;

/** Faults of a model's answers to a few clean images, of which at most `batchSize` pass together. */
export function flagsOf(classifier: Classifier, batch: Batch, seed: Seed, batchSize: number): Flag[] {
  return noGrad(() =>
    scope(() => {
      const logits = logitsOf({ classifier, batch, size: batchSize, noise: { seed, draw: 0 } });
      return [
        ...formFlags(logits),
        ...constantFlags(classifier, batch, logits),
        ...answerFlags(classifier, batch, seed, batchSize),
      ];
    }),
  );
}

/** Flag of outputs that are no logits. */
function formFlags(logits: Tensor): Flag[] {
  if (!looksLikeProbabilities(logits)) return [];
  return [
    {
      kind: "probabilities",
      message:
        "the outputs look like probabilities, not logits: after a softmax gradients vanish and attacks " +
        "seem to fail; leave the softmax out",
    },
  ];
}

/**
 * Flag of a model that gives images of several classes the same logits, or the same class: its accuracy is
 * that of a guess, whatever an attack does. None for few images, which may be given one class by luck.
 */
function constantFlags({ randomized }: Classifier, { labels }: Batch, logits: Tensor): Flag[] {
  const differs = (rows: Tensor) =>
    rows
      .ne(rows.slice(0, 0, 1))
      .any()
      .item() === 1;
  const [count, row] = [labels.shape[0]!, logits.select(0, 0)];
  // Logits that are equal among themselves have a flag of their own.
  const isFlat = row.amax().item() === row.amin().item();
  if (randomized || isFlat || count < flagImages || !differs(labels)) return [];
  if (differs(logits.argmax(1))) return [];
  const found = differs(logits)
    ? `are all given class ${row.argmax(0).item()}`
    : "all have the same logits, which do not depend on the image";
  const message = `the first ${count} images ${found}, though their labels differ: the model only guesses`;
  return [{ kind: "constant-answers", message }];
}

function looksLikeProbabilities(logits: Tensor): boolean {
  const inRange = logits.amin().item() >= 0 && logits.amax().item() <= 1;
  return inRange && logits.sumDim([1]).sub(1).abs().amax().item() < 1e-3;
}

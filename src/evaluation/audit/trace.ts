import { deriveSeed, NotFiniteError } from "../../base/index.js";
import { type Batch, partsOfBatch } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import { type Classifier, crossEntropy } from "../../nn/index.js";
import { standardAttack } from "./attacks.js";
import type { AuditPlan, Trace } from "./plan.js";

/** Step of the standard attack: the loss of each image, and 1 for those that are misclassified. */
interface TracedStep {
  readonly losses: readonly number[];
  readonly fooled: readonly number[];
}

/** Trace of the standard attack on images, from its start to the last step but one. */
export function traceOf(plan: AuditPlan, sample: Batch): Trace {
  const parts: TracedStep[][] = [];
  let stop: string | undefined;
  for (const part of partsOfBatch(sample, plan.batchSize)) {
    const steps: TracedStep[] = [];
    parts.push(steps);
    stop = traceInto(steps, plan, part);
    if (stop !== undefined) break;
  }
  const count = Math.min(...parts.map((steps) => steps.length));
  const all = Array.from({ length: count }, (_, i) => parts.map((steps) => steps[i]!));
  const losses = all.map((step) => step.flatMap((part) => part.losses));
  return {
    losses: losses.map((of) => of.reduce((sum, loss) => sum + loss, 0) / of.length),
    fooled: all.map((step) => Uint8Array.from(step.flatMap((part) => part.fooled))),
    ...(stop !== undefined && { stop }),
  };
}

/** Adds the steps of images that pass together, and returns the error of numbers that are not finite. */
function traceInto(
  steps: TracedStep[],
  plan: AuditPlan,
  { images, labels, imageIds }: Batch,
): string | undefined {
  const { model } = plan.players;
  const { inputShape, classes, randomized } = model;
  const watched: Classifier = {
    inputShape,
    classes,
    randomized,
    logits(shown, noise) {
      const logits = model.logits(shown, noise);
      scope(() => {
        const losses = [...crossEntropy(logits.detach(), labels).toNumbers()];
        steps.push({ losses, fooled: [...logits.detach().argmax(1).ne(labels).toNumbers()] });
      });
      return logits;
    },
  };
  try {
    scope(() =>
      standardAttack(plan)(watched, images, labels, { seed: deriveSeed(plan.seed, "trace"), imageIds }),
    );
    return undefined;
  } catch (error) {
    if (error instanceof NotFiniteError) return error.message;
    throw error;
  }
}

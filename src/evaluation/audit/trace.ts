import { deriveSeed, NotFiniteError } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import { type Classifier, crossEntropy } from "../../nn/index.js";
import { standardAttack } from "./attacks.js";
import type { AuditPlan, Trace } from "./plan.js";

/** Trace of the standard attack on images, from its start to the last step but one. */
export function traceOf(plan: AuditPlan, { images, labels, imageIds }: Batch): Trace {
  const trace = { losses: [] as number[], fooled: [] as Uint8Array[] };
  const { model } = plan.players;
  const { inputShape, classes, randomized } = model;
  const watched: Classifier = {
    inputShape,
    classes,
    randomized,
    logits(shown, noise) {
      const logits = model.logits(shown, noise);
      scope(() => {
        trace.losses.push(crossEntropy(logits.detach(), labels).mean().item());
        trace.fooled.push(Uint8Array.from(logits.detach().argmax(1).ne(labels).toNumbers()));
      });
      return logits;
    },
  };
  try {
    scope(() =>
      standardAttack(plan)(watched, images, labels, { seed: deriveSeed(plan.seed, "trace"), imageIds }),
    );
    return trace;
  } catch (error) {
    if (error instanceof NotFiniteError) return { ...trace, stop: error.message };
    throw error;
  }
}

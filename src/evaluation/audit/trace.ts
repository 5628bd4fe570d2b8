import { parseAttack } from "../../attacks/index.js";
import { deriveSeed, NotFiniteError } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import { scope } from "../../engine/index.js";
import type { Classifier } from "../../nn/classifier.js";
import { crossEntropy } from "../../nn/losses.js";
import { pgdText } from "./attack-texts.js";
import type { AuditPlan } from "./check.js";

/** What the audit's standard attack saw at each of its steps. */
export interface Trace {
  /** Mean cross-entropy over images. */
  readonly losses: readonly number[];
  /** 1 for each image that was misclassified. */
  readonly fooled: readonly Uint8Array[];
  /** Why the attack came to no end, where logits or gradients are not finite. */
  readonly stop?: string;
}

/** The trace of the standard attack on images, from its start to the last step but one. */
export function traceOf(plan: AuditPlan, { images, labels, imageIds }: Batch): Trace {
  const trace = { losses: [] as number[], fooled: [] as Uint8Array[] };
  const { model } = plan.subject;
  const watched: Classifier = {
    ...model,
    logits(shown, noise) {
      const logits = model.logits(shown, noise);
      scope(() => {
        trace.losses.push(crossEntropy(logits.detach(), labels).mean().item());
        trace.fooled.push(Uint8Array.from(logits.detach().argmax(1).ne(labels).toNumbers()));
      });
      return logits;
    },
  };
  const attack = parseAttack(pgdText(plan));
  try {
    scope(() => attack(watched, images, labels, { seed: deriveSeed(plan.seed, "trace"), imageIds }));
    return trace;
  } catch (error) {
    if (error instanceof NotFiniteError) return { ...trace, stop: error.message };
    throw error;
  }
}

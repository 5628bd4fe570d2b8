import { type Attack, callable } from "./attack.js";
import type { AttackContext, PassCounter } from "./context.js";

/** An attack of a suite, once it has run. */
export interface SuitePart {
  /** The attack's name, without its options. */
  readonly name: string;
  /** Images that it attacked: those left by the parts before. */
  readonly images: number;
  /** Passes of single images that it used; undefined where nobody counts them. */
  readonly passes: PassCounter | undefined;
}

/** The same attack, which tells the context's `onPart` each time it has run. */
export function reported(attack: Attack): Attack {
  const { name, options, call, label, traits, remake } = attack;
  const run = (...given: Parameters<Attack>) => {
    const [, images, , context] = given;
    const before = countOf(context);
    const adversarial = attack(...given);
    const after = countOf(context);
    const passes = before &&
      after && { forward: after.forward - before.forward, backward: after.backward - before.backward };
    context.onPart?.({ name, images: images.shape[0]!, passes });
    return adversarial;
  };
  return callable(run, name, { options, call, label, traits, remake });
}

function countOf({ passes }: AttackContext): PassCounter | undefined {
  return passes && { ...passes };
}

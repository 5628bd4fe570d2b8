import type { Counts } from "../../../../trials/index.js";
import { isAboveAny, percentOf } from "../../difference.js";
import type { AuditResults } from "../../plan.js";
import type { Judgment } from "../check.js";

/**
 * Judges attacks that use other things than gradients: masked where one is stronger than the best by
 * gradients. That is each image's worst case over all attacks by gradients of the model and of its
 * surrogates.
 */
export function againstGradients(
  found: readonly { readonly name: string; readonly answers: Counts }[],
  { byGradients }: AuditResults,
): Judgment {
  const [first, ...others] = found.map(({ name, answers }) => `${percentOf(answers)} under ${name}`);
  const best = `${percentOf(byGradients)} in the worst case by gradients`;
  const evidence = [`accuracy ${first}`, ...others, best].join(", ");
  const all = found.map(({ answers }) => answers);
  return { outcome: isAboveAny(byGradients, all) ? "masked" : "passed", evidence };
}

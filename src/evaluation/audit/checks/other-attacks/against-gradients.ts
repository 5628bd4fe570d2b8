import type { Counts } from "../../../../trials/index.js";
import { isAboveAny, percentOf } from "../../difference.js";
import type { AuditResults } from "../../plan.js";
import type { Judgment } from "../check.js";
import { isTooWeak, unlessTooWeak } from "../too-weak.js";

/**
 * Judges attacks that use other things than gradients: masked where one is stronger than the best by
 * gradients. That is each image's worst case over all attacks by gradients of the model and of its
 * surrogates.
 */
export function againstGradients(
  found: readonly { readonly name: string; readonly answers: Counts }[],
  { byGradients, clean }: AuditResults,
): Judgment {
  const all = found.map(({ answers }) => answers);
  const nothing = all.filter((answers) => isTooWeak(clean, answers));
  const [first, ...others] = found.map(({ name, answers }) => {
    const weak = nothing.includes(answers) && nothing.length < all.length ? " (too weak to say)" : "";
    return `${percentOf(answers)} under ${name}${weak}`;
  });
  const best = `${percentOf(byGradients)} in the worst case by gradients`;
  const evidence = [`accuracy ${first}`, ...others, best].join(", ");
  const outcome = isAboveAny(byGradients, all) ? "masked" : "passed";
  return unlessTooWeak({ outcome, evidence }, clean, all);
}

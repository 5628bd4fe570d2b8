import type { Counts } from "../../../trials/answers.js";
import type { AuditResults, Finding } from "../check.js";
import { isAboveAny, percentOf } from "../difference.js";

/**
 * Whether something beside gradients is stronger than the best by gradients: each image's worst case over all attacks by
 * the network's gradients, those of its substitutes included.
 */
export function againstGradients(found: readonly { name: string; answers: Counts }[], results: AuditResults): Finding {
  const evidence = [
    ...found.map(({ name, answers }) => `${name} leaves ${percentOf(answers)}`),
    `the best by gradients ${percentOf(results.byGradients)}`,
  ].join(", ");
  const stronger = isAboveAny(
    results.byGradients,
    found.map(({ answers }) => answers),
  );
  return { outcome: stronger ? "masked" : "passed", evidence };
}

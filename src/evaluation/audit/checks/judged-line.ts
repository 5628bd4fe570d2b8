import { errorOf } from "../../../base/index.js";
import { scope } from "../../../engine/index.js";
import type { FailedTrial } from "../../../trials/index.js";
import type { AuditPlan, AuditResults } from "../plan.js";
import type { Check, CheckGroup, Judgment } from "./check.js";

/** Line of the checklist with its judgment. */
export interface CheckedLine extends Judgment {
  readonly name: string;
  readonly group: CheckGroup;
  readonly question: string;
  readonly source: string;
}

/** Outcome of work, or what its error is turned into; errors after the signal are thrown. */
export function unlessEnded<T>(
  work: () => T,
  otherwise: (error: Error) => T,
  signal: AbortSignal | undefined,
): T {
  try {
    return work();
  } catch (error) {
    if (signal?.aborted) throw error;
    return otherwise(errorOf(error));
  }
}

/** Sentence, without a full stop, on what ended in an error. */
export function endOf(what: string, { message }: Error): string {
  return `${what} ended in an error: ${message}`;
}

/**
 * Judgment of a check; it is skipped where it, or a trial that it needs, ended in an error.
 *
 * @param ended trials that ended in an error, and what is called with an error of the check's own
 */
export function lineOf(
  check: Check,
  plan: AuditPlan,
  results: AuditResults,
  ended: { readonly failed: readonly FailedTrial[]; fail(error: Error): void },
  signal: AbortSignal | undefined,
): CheckedLine {
  const { name, group, question, source } = check;
  const needed = new Set(check.trials(plan).map(({ id }) => id));
  const missing = ended.failed.find(({ trial }) => needed.has(trial.id));
  if (missing !== undefined) {
    const evidence = endOf(missing.trial.id, missing.error);
    return { name, group, question, source, outcome: "skipped", evidence };
  }
  const judgment = unlessEnded<Judgment>(
    () => scope(() => check.judge(plan, results)),
    (error) => {
      ended.fail(error);
      return { outcome: "skipped", evidence: endOf("the check", error) };
    },
    signal,
  );
  return { name, group, question, source, ...judgment };
}

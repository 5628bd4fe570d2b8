import type { Conclusion } from "../conclude.js";
import type { Criterion } from "../criterion/criterion.js";
import type { AuditSubject } from "../identity.js";
import type { AuditPlan } from "../plan.js";
import type { WorstForm } from "../worst-images.js";
import type { AuditJson } from "./schema/audit.js";

/** Findings of an audit, and what they were found of. */
export interface ReportData {
  readonly conclusion: Conclusion;
  readonly plan: AuditPlan;
  readonly worst: readonly WorstForm[];
  /** Name of the audit, which says what decides its numbers: the folder of its trials has it. */
  readonly id: string;
  readonly subject: Pick<AuditSubject, "settings" | "opened" | "transfers" | "split">;
  /** Criterion of this sitting, and those of others. */
  readonly criteria: { readonly criterion: Criterion | undefined; readonly others: readonly Criterion[] };
  /** Time at which this sitting began, in ISO 8601. */
  readonly startedAt: string;
  /** Circumstances of the shards that were merged; undefined where there were none. */
  readonly shards?: AuditJson["environment"]["shards"];
}

/** Fresh draws in which each image was answered. */
export function drawsOf({ conclusion }: Pick<ReportData, "conclusion">): number {
  return Math.max(...conclusion.trials.map(({ answers }) => answers.draws));
}

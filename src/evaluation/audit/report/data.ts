import type { Conclusion } from "../conclude.js";
import type { AuditSubject } from "../identity.js";
import type { AuditPlan } from "../plan.js";
import type { WorstImage } from "../worst-images.js";

/** Findings of an audit, and what they were found of. */
export interface ReportData {
  readonly conclusion: Conclusion;
  readonly plan: AuditPlan;
  readonly worst: readonly WorstImage[];
  /** Name of the audit, which says what decides its numbers: the folder of its trials has it. */
  readonly id: string;
  readonly subject: Pick<AuditSubject, "settings" | "opened" | "transfers" | "split">;
}

/** Fresh draws in which each image was answered. */
export function drawsOf({ conclusion }: ReportData): number {
  return Math.max(...conclusion.trials.map(({ answers }) => answers.draws));
}

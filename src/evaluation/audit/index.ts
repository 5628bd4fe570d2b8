export { type Audit, type AuditEvent, type AuditOptions, audit, type CheckedLine, trialsOf } from "./audit.js";
export { type Budget, type BudgetName, budgets } from "./budget.js";
export type { AuditPlan, Check, Finding, Outcome } from "./check.js";
export { curveRadii, curveTrial } from "./checks/security-curve.js";
export { type Player, type Subject, withKnownDraw } from "./players.js";
export { FolderStore, MemoryStore, type TrialStore } from "./store.js";
export { attackOf, blackBox, type Trial, type TrialResult, trialLabel, whiteBox } from "./trial.js";
export type { Verdict } from "./verdict.js";
export { type WorstImage, worstImages } from "./worst-images.js";

export { type AuditEvent, audit } from "./audit.js";
export { type Budget, type BudgetName, batchImages, budgetNames, budgets } from "./budget.js";
export {
  type Check,
  type CheckDefinition,
  type CheckedLine,
  type CheckGroup,
  checkGroups,
  checks,
  defineCheck,
  type Judgment,
  type Outcome,
} from "./checks/index.js";
export type { Comparison } from "./criterion/baseline.js";
export type { Criterion } from "./criterion/criterion.js";
export type { RequirementOutcome } from "./criterion/outcome.js";
export {
  figureMeaning,
  type OutcomeName,
  parseRequirements,
  type Requirement,
} from "./criterion/requirement.js";
export type { ConvergenceCurve, Effort } from "./curves/convergence-curves.js";
export type { Curve, CurvePoint } from "./curves/curves.js";
export { machineFacts } from "./evidence/environment.js";
export type { SelfTestRecord } from "./evidence/self-test.js";
export type { AuditOptions } from "./options.js";
export type { AuditPlan, AuditResults } from "./plan.js";
export type { Provenance } from "./provenance.js";
export {
  checkReportFolder,
  type ReportFiles,
  type ReportImages,
  type WriteReportOptions,
} from "./report/files.js";
export { changedFiles } from "./report/formats/changed-files.js";
export { type ReportFormat, reportFormats, reportIn } from "./report/formats/formats.js";
export { readAudit } from "./report/read.js";
export type { Report } from "./report/report.js";
export { type AuditJson, auditJsonSchema, auditSchemaVersion } from "./report/schema/audit.js";
export { AttackLog } from "./report/tensorboard.js";
export type { TextOptions } from "./report/text.js";
export { type SelfTestCase, selfTestCases } from "./self-test/cases.js";
export { readSelfTest, selfTestRecord } from "./self-test/record.js";
export { type SelfTestResult, selfTest } from "./self-test/self-test.js";
export { type AuditVerdict, type Reason, type VerdictName, verdictNames } from "./verdict/verdict.js";
export { roundingSurvivors, type WorstImage } from "./worst-images.js";

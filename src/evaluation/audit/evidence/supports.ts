import type { AuditJson } from "../report/schema/audit.js";

const threat = "evidence.threatModel";
const identity = ["evidence.model", "evidence.data", "environment"];

/**
 * Clauses that fields of audit.json support. A report supports an argument that somebody makes about a whole
 * system; it satisfies no clause by itself.
 */
export const supports: AuditJson["evidence"]["supports"] = [
  {
    document: "NIST AI 100-2e2025",
    clause: "attacker's goals, knowledge, capabilities; stage",
    fields: [threat],
  },
  {
    document: "ISO/IEC TR 24029-1:2021",
    clause: "goals, plan, metrics, protocol, conclusion",
    fields: ["outcome", "budget", "checklist", "trials", "verdict"],
  },
  {
    document: "ISO/IEC 24029-2:2023",
    clause: "empirical evidence beside formal methods (none is run here)",
    fields: ["worst", "curves"],
  },
  {
    document: "Regulation (EU) 2024/1689 (AI Act)",
    clause: "Article 15(1), 15(3): level of accuracy and robustness, and their metrics",
    fields: ["clean", "worst", "evidence.perClass", "outcome"],
  },
  {
    document: "Regulation (EU) 2024/1689 (AI Act)",
    clause: "Article 15(5): adversarial examples or model evasion",
    fields: [threat, "checklist", "trials", "evidence.notTested"],
  },
  {
    document: "Regulation (EU) 2024/1689 (AI Act)",
    clause: "Annex IV(2)(g): validation and testing, metrics, test logs, dated and signed",
    fields: [...identity, "perImage"],
  },
].map((entry) => ({ ...entry, fields: [...entry.fields] }));

export type {
  AuditDetail,
  AuditSummary,
  Comparison,
  Job,
  ModelFile,
  PaperItem,
  PlayFacts,
  PlayRequest,
  PlayResult,
  RunDetail,
  RunPage,
  RunSummary,
} from "./api.js";
export { type Dashboard, type DashboardOptions, startDashboard } from "./start-server.js";

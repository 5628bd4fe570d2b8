export type {
  AuditDetail,
  AuditSummary,
  Comparison,
  Job,
  PaperItem,
  PlayRequest,
  PlayResult,
  RunDetail,
  RunPage,
  RunSummary,
} from "./api.js";
export { type Dashboard, type DashboardOptions, startDashboard } from "./start-server.js";

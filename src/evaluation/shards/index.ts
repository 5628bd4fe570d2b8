export { type AuditShardOptions, auditShard, mergeAudit } from "./audit-shard.js";
export { type EvaluateShardOptions, evaluateShard, mergeEvaluation } from "./evaluate-shard.js";
export {
  hasManifests,
  readManifests,
  type ShardManifest,
  type ShardSitting,
  writeManifest,
} from "./manifest.js";
export { checkFacts, gatherShards, type ShardSet } from "./shard-set.js";
export type { ShardEvent, ShardFacts, ShardFailure, ShardResult, ShardSubject } from "./shard-steps.js";

export type { Accuracy, Flag, Shard, Trial, TrialStore } from "../trials/index.js";
export {
  blackBox,
  bootstrap,
  checkShard,
  FolderStore,
  MemoryStore,
  shardText,
  whiteBox,
  wilson,
} from "../trials/index.js";
export * from "./audit/index.js";
export { type EvaluationEvent, evaluate } from "./evaluate.js";
export type {
  AttackEvaluation,
  CleanEvaluation,
  Distances,
  Evaluation,
  VoteEvaluation,
  WorstCase,
} from "./evaluation.js";
export type { EvaluationOptions } from "./evaluation-options.js";
export { UnexpectedAccuracyError } from "./expected-clean.js";
export * from "./shards/index.js";
export { OtherSubjectError } from "./store-subject.js";

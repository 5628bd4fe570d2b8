export { type EvaluationEvent, type EvaluationOptions, evaluate } from "./evaluate.js";
export type { AttackEvaluation, CleanEvaluation, Evaluation, VoteEvaluation } from "./evaluation.js";
export type { Flag } from "./flags.js";
export { type Accuracy, bootstrap, wilson } from "./interval.js";
export { type NetworkOptions, networkFromRun, networkFromWeights, type OpenedNetwork } from "./open-network.js";

export type { Flag } from "../trials/flags.js";
export { type Accuracy, bootstrap, wilson } from "../trials/interval.js";
export { type EvaluationEvent, type EvaluationOptions, evaluate } from "./evaluate.js";
export type { AttackEvaluation, CleanEvaluation, Evaluation, VoteEvaluation } from "./evaluation.js";
export { type NetworkOptions, networkFromRun, networkFromWeights, type OpenedNetwork } from "./open-network.js";

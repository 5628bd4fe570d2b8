export {
  type BatchRecord,
  type FailedTrial,
  hasFailed,
  joinBatches,
  type Stop,
  type TrialOutcome,
  type TrialResult,
} from "./batch-record.js";
export { Answers, accuracyOf, Counts, everyDrawOf, majorityOf, mostDraws } from "./counts/answers.js";
export { type Accuracy, bootstrap, wilson } from "./counts/interval.js";
export { type BallOf, rowsWithin, withinRadius, worstWithin } from "./counts/within-radius.js";
export { worstEveryDrawOf, worstOf, worstVoteOf } from "./counts/worst-of.js";
export { WorstSoFar } from "./counts/worst-so-far.js";
export { answerFlags } from "./flags/answer-flags.js";
export { changedNothingFlag, gradientFlag, gradientImages } from "./flags/attack-flags.js";
export type { Flag } from "./flags/flag.js";
export { flagImages, flagsOf } from "./flags/model-flags.js";
export { type Attackable, answered, checkAnswers, type OpenedModel, openModel } from "./input/attackable.js";
export { checkImagesFit, checkSameForm, type ImageSource, splitFrom } from "./input/images.js";
export { type PlacedPlayers, playersOn } from "./on-device.js";
export { type Player, type Players, playerOf, withFixedSeed } from "./players.js";
export {
  type BatchOutcome,
  type BatchRun,
  type Earlier,
  runBatch,
  type TrialSeeds,
  trialSeeds,
} from "./run-batch.js";
export { keptBatches, runTrials, type TrialEvent } from "./run-trials.js";
export { checkShard, placesOf, type Shard, shardBatchSize, shardText } from "./shard.js";
export { stoppable, stoppables } from "./stoppable.js";
export { FolderStore } from "./store/folder-store.js";
export { JoinedStore } from "./store/joined-store.js";
export { type BatchPlace, type BatchPlan, MemoryStore, type TrialStore } from "./store/store.js";
export {
  attackList,
  blackBox,
  clean,
  type Trial,
  type TrialParts,
  trialId,
  trialOf,
  trialOn,
  whiteBox,
} from "./trial.js";
export { trialLabel, trialLabels } from "./trial-label.js";
export type { KeptBatches, TrialOptions } from "./trial-options.js";
export { verifyAdversarial } from "./verify.js";

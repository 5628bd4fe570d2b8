import { basename } from "node:path";
import { checkFolder, Work } from "../../base/index.js";
import {
  type Attackable,
  checkShard,
  type ImageSource,
  JoinedStore,
  type Shard,
  shardBatchSize,
} from "../../trials/index.js";
import { type EvaluationEvent, evaluationSteps } from "../evaluate.js";
import type { Evaluation } from "../evaluation.js";
import { evaluationFacts } from "../evaluation-name.js";
import type { EvaluationOptions } from "../evaluation-options.js";
import { type EvaluationParts, withParts } from "../evaluation-parts.js";
import { checkFacts, type ShardSet } from "./shard-set.js";
import { type ShardEvent, type ShardFacts, type ShardResult, shardSteps } from "./shard-steps.js";

/** Options of a shard of an evaluation: those of the whole, with the shard and the folder that keeps it. */
export interface EvaluateShardOptions extends Omit<EvaluationOptions, "store" | "expectClean"> {
  readonly shard: Shard;
  /** Folder in which the folder of the evaluation lies; several shards may share it. */
  readonly folder: string;
}

/** Facts of a shard: those of the evaluation, and the size of its batches. */
const factsOf = (parts: EvaluationParts): ShardFacts => ({
  ...evaluationFacts(parts),
  "batch size": parts.given.batchSize,
});

/**
 * Runs a shard of an evaluation's trials, and keeps them in the evaluation's folder inside `folder`, which
 * the result names. Batches are as in `auditShard`.
 *
 * @throws TypeError or RangeError, before anything runs, as `evaluate`, and for a shard that is none
 * @example
 * await evaluateShard(model, images, { attacks, shard: { index: 1, count: 2 }, folder: "evaluations" });
 */
export function evaluateShard(
  model: Attackable,
  images: ImageSource,
  options: EvaluateShardOptions,
): Work<ShardEvent, ShardResult> {
  const { shard, ...rest } = options;
  checkFolder("folder", rest.folder);
  return new Work(
    (signal) =>
      withParts(model, images, rest, signal, (parts) => {
        const { split, data, trials } = parts;
        const folder = parts.folder!;
        checkShard(shard, split.count);
        const batchSize = shardBatchSize(split.count, parts.given.batchSize, shard.count);
        const given = { ...parts.given, batchSize, shard };
        const facts = factsOf({ ...parts, given });
        return shardSteps({ id: basename(folder), folder, facts }, trials, data, given);
      }),
    options.signal,
  );
}

/**
 * Makes an evaluation from its shards: that of one run, but for measured times.
 *
 * @param shards outcome of `gatherShards`
 * @throws FileFormatError where the model, the images or an option are not those of the shards
 */
export function mergeEvaluation(
  model: Attackable,
  images: ImageSource,
  options: Omit<EvaluationOptions, "folder" | "store">,
  shards: ShardSet,
): Work<EvaluationEvent, Evaluation> {
  const asked = { ...options, batchSize: Number(shards.facts["batch size"]) };
  return new Work(
    (signal) =>
      withParts(model, images, asked, signal, (parts) => {
        checkFacts(shards, factsOf(parts));
        const store = new JoinedStore(shards.folders, shards.failed, { images: false });
        return evaluationSteps({ ...parts, given: { ...parts.given, store } }, asked);
      }),
    options.signal,
  );
}

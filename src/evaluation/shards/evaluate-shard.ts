import { createHash } from "node:crypto";
import { join } from "node:path";
import { checkFolder, packageVersion, Work } from "../../base/index.js";
import { contentHash } from "../../datasets/index.js";
import {
  type Attackable,
  checkShard,
  FolderStore,
  type ImageSource,
  JoinedStore,
  type Shard,
  shardBatchSize,
} from "../../trials/index.js";
import { type EvaluationEvent, evaluationSteps } from "../evaluate.js";
import type { Evaluation } from "../evaluation.js";
import type { EvaluationOptions } from "../evaluation-options.js";
import { type EvaluationParts, withParts } from "../evaluation-parts.js";
import { modelIdentity } from "../model-hash.js";
import { checkFacts, type ShardSet } from "./shard-set.js";
import { type ShardEvent, type ShardFacts, type ShardResult, shardSteps } from "./shard-steps.js";

/** Options of a shard of an evaluation: those of the whole, with the shard and the folder that keeps it. */
export interface EvaluateShardOptions extends Omit<EvaluationOptions, "store" | "expectClean"> {
  readonly shard: Shard;
  /** Folder in which the folder of the evaluation lies; several shards may share it. */
  readonly folder: string;
}

function factsOf({
  opened,
  surrogate,
  attacked,
  attacks,
  split,
  data,
  seed,
  given,
}: EvaluationParts): ShardFacts {
  return {
    model: modelIdentity(opened, data),
    images: `${split.count} of ${split.name} ${contentHash(split).slice(0, 12)}`,
    attacks: attacks.map(String).join(", "),
    surrogate: surrogate === undefined ? attacked : modelIdentity(surrogate, data),
    draws: given.draws,
    seed,
    "batch size": given.batchSize,
  };
}

/** Name of the folder that keeps an evaluation: `evaluation-<hash>`, of all that decides its numbers. */
function nameOf({ "batch size": _, ...decisive }: ShardFacts): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([packageVersion(), decisive]))
    .digest("hex");
  return `evaluation-${hash.slice(0, 8)}`;
}

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
  const { shard, folder: parent, ...rest } = options;
  checkFolder("folder", parent);
  return new Work(
    (signal) =>
      withParts(model, images, rest, signal, (parts) => {
        const { split, data, trials } = parts;
        checkShard(shard, split.count);
        const batchSize = shardBatchSize(split.count, parts.given.batchSize, shard.count);
        const facts = factsOf({ ...parts, given: { ...parts.given, batchSize } });
        const id = nameOf(facts);
        const folder = join(parent, id);
        const given = { ...parts.given, batchSize, shard, store: new FolderStore(folder) };
        return shardSteps({ id, folder, facts }, trials, data, given);
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
  options: Omit<EvaluationOptions, "store">,
  shards: ShardSet,
): Work<EvaluationEvent, Evaluation> {
  const asked = { ...options, batchSize: Number(shards.facts["batch size"]) };
  return new Work(
    (signal) =>
      withParts(model, images, asked, signal, (parts) => {
        checkFacts(shards, factsOf(parts));
        const store = new JoinedStore(shards.folders, shards.failed);
        return evaluationSteps({ ...parts, given: { ...parts.given, store } }, asked);
      }),
    options.signal,
  );
}

import { checkFolder, Work } from "../../base/index.js";
import { contentHash } from "../../datasets/index.js";
import {
  type Attackable,
  checkShard,
  FolderStore,
  type ImageSource,
  JoinedStore,
  keptBatches,
  type Shard,
  shardBatchSize,
  shardText,
} from "../../trials/index.js";
import { type AuditEvent, auditSteps } from "../audit/audit.js";
import { countKept, joinCriteria, writeCriterion } from "../audit/criterion/criterion.js";
import type { AuditOptions } from "../audit/options.js";
import { type AuditParts, withSubject } from "../audit/parts.js";
import type { Report } from "../audit/report/report.js";
import { hasPlan, notePlan } from "../audit/time/plan-note.js";
import { worstWatch } from "../audit/time/worst-watch.js";
import { modelIdentity } from "../model-hash.js";
import { checkFacts, type ShardSet } from "./shard-set.js";
import { type ShardEvent, type ShardFacts, type ShardResult, shardSteps } from "./shard-steps.js";

/** Options of a shard of an audit: those of the whole, with the shard and the folder that keeps it. */
export interface AuditShardOptions extends Omit<AuditOptions, "store" | "folder" | "expectClean"> {
  readonly shard: Shard;
  /** Folder in which the folder of the audit lies; several shards may share it. */
  readonly folder: string;
}

function factsOf({ subject, plan, given }: AuditParts): ShardFacts {
  const { settings, opened, transfers, split, data } = subject;
  const others = Object.entries(transfers).map(([name, other]) => `${name}: ${modelIdentity(other, data)}`);
  return {
    model: modelIdentity(opened, data),
    images: `${split.count} of ${split.name} ${contentHash(split).slice(0, 12)}`,
    norm: plan.norm,
    epsilon: plan.epsilon,
    claim: plan.claim.id,
    budget: JSON.stringify(plan.budget),
    seed: settings.seed,
    surrogates: others.join(", "),
    criterion: settings.require ?? "none",
    baseline: settings.baseline?.id ?? "none",
    resolution: settings.resolution,
    "batch size": given.batchSize,
  };
}

/** Writes a criterion down before the shard's first attack, with the batches that its folder holds. */
function noteCriterion(
  { trials, subject }: Pick<AuditParts, "trials" | "subject">,
  own: AuditParts["given"],
  require: string,
): void {
  const kept = keptBatches(trials, subject.data, { ...own, shard: undefined });
  writeCriterion(own.store, require, countKept(kept));
}

/**
 * Runs a shard of an audit's trials, and keeps them in the audit's folder inside `folder`. The estimate of
 * time, the checks and the worst images are left to `audit` on the same folder, or to `mergeAudit`.
 *
 * Batches are those of the whole audit, so that each is the same to the bit. They are made smaller where a
 * shard would have none: the result's `facts` tell their size.
 *
 * @throws TypeError or RangeError, before anything runs, as `audit`, and for a shard that is none
 * @example
 * await auditShard(model, images, { epsilon: 0.3, shard: { index: 1, count: 2 }, folder: "audits" });
 */
export function auditShard(
  model: Attackable,
  images: ImageSource,
  options: AuditShardOptions,
): Work<ShardEvent, ShardResult> {
  const { shard, ...rest } = options;
  checkFolder("folder", rest.folder);
  return new Work(
    (signal) =>
      withSubject(model, images, rest, signal, ({ given, ...parts }) => {
        const { count } = parts.subject.split;
        checkShard(shard, count);
        const batchSize = shardBatchSize(count, given.batchSize, shard.count);
        const folder = parts.folder!;
        const own = { ...given, batchSize, shard, store: new FolderStore(folder) };
        const facts = factsOf({ ...parts, given: own });
        const { require } = parts.subject.settings;
        if (require !== undefined) noteCriterion(parts, own, require);
        const { plan, trials, subject } = parts;
        if (!hasPlan(own.store, batchSize)) notePlan(own.store, plan, trials, subject.data, batchSize);
        return shardSteps({ id: parts.id, folder, facts }, trials, subject.data, own, worstWatch(plan));
      }),
    options.signal,
  );
}

/**
 * Makes the report of an audit from its shards: byte for byte that of one run, but for measured times and its
 * `environment`, which has the merge's and that of each shard.
 *
 * @param shards outcome of `gatherShards`
 * @throws FileFormatError where the model, the images or an option are not those of the shards
 */
export function mergeAudit(
  model: Attackable,
  images: ImageSource,
  options: AuditOptions,
  shards: ShardSet,
): Work<AuditEvent, Report> {
  const batchSize = Number(shards.facts["batch size"]);
  const asked = { ...options, batchSize, folder: undefined };
  return new Work(
    (signal) =>
      withSubject(model, images, asked, signal, (parts) => {
        checkFacts(shards, factsOf(parts));
        const store = new JoinedStore(shards.folders, shards.failed);
        const { require } = parts.subject.settings;
        if (require !== undefined) joinCriteria(store, require);
        const ran = shards.shards.map((shard) => ({ shard: shardText(shard), sittings: shard.sittings }));
        return auditSteps({ ...parts, given: { ...parts.given, store }, shards: ran }, asked, signal);
      }),
    options.signal,
  );
}

import { join } from "node:path";
import { countText, type Work } from "../../../base/index.js";
import { AttackLog, type ShardEvent, type ShardResult } from "../../../evaluation/index.js";
import { percent } from "../../../report/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { note, out, warn } from "../../frame/output.js";
import { withProgress } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import { callsShown } from "../../frame/words/attack-name.js";
import { type ShardCall, ShardRecord, sayShardDone, shardLabel } from "./shard-record.js";

/** Does a shard's work, and keeps beside its trials what it is a shard of. */
export async function keepShard(
  work: Work<ShardEvent, ShardResult>,
  call: ShardCall,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): Promise<number> {
  const { shard } = call;
  const label = shardLabel(shard);
  const record = new ShardRecord(call);
  let log: AttackLog | undefined;
  for await (const event of withShardBar(usageUntilBegun(work), label)) {
    if (event.type === "attack") log?.add(loggedOf(event));
    if (event.type !== "shard") continue;
    record.begin(event);
    if (call.request.command === "audit")
      log = new AttackLog(join(event.folder, "tb", `shard-${shard.index}-of-${shard.count}`));
    const size = `${countText(event.images, "image")}, ${countText(event.trials, "attack")}`;
    note(`${label}: ${size}, kept in ${shownPath(event.folder)}`);
  }
  const result = await record.endOf(work);
  for (const { trial, error } of result.failed) warn(callsShown(`${trial} failed: ${error}`, verbose));
  if (json) out(JSON.stringify({ shard, id: result.id, folder: result.folder, failed: result.failed }));
  else sayShardDone(shard, result.folder);
  return exitCode.done;
}

/** Passes events on, and shows a bar over the images of all trials. */
function withShardBar(events: AsyncIterable<ShardEvent>, label: string) {
  let worst: number | undefined;
  return withProgress(events, { label, unit: "attacked images" }, (event) => {
    if (event.type === "attack" && event.worst !== undefined) worst = event.worst;
    if (event.type !== "progress") return undefined;
    const { attack, done, total } = event;
    const fallen = worst === undefined ? {} : { "worst so far": `${percent(worst, 1)} %` };
    return { done, total, metrics: { under: attack, ...fallen } };
  });
}

/** Attack as a log shows it; undefined for one that ended in an error. */
function loggedOf({ label, accuracy, worst }: Extract<ShardEvent, { type: "attack" }>) {
  return accuracy === undefined ? undefined : { label, accuracy, worst };
}

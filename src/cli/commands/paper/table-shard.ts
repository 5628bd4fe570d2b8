import type { runTableShard } from "../../../paper/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { note } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import { type ShardCall, ShardRecord, sayShardDone, shardLabel } from "../shards/shard-record.js";
import { TableDisplay } from "./table-display.js";

/** Does the runs of a table's shard, and keeps in the folder of results what it is a shard of. */
export async function keepTableShard(
  work: ReturnType<typeof runTableShard>,
  call: ShardCall,
): Promise<number> {
  const record = new ShardRecord(call);
  using display = new TableDisplay();
  for await (const event of usageUntilBegun(work)) {
    if (event.type === "shard") {
      record.begin(event);
      note(`${shardLabel(call.shard)}: kept in ${shownPath(event.folder)}`);
    } else display.show(event);
  }
  const { folder } = await record.endOf(work);
  sayShardDone(call.shard, folder);
  return exitCode.done;
}

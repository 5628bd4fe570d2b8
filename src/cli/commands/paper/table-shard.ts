import { isAbort } from "../../../base/index.js";
import { shardText } from "../../../evaluation/index.js";
import type { runTableShard } from "../../../paper/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { note, out, warn } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import { type ShardCall, ShardRecord } from "../shards/shard-record.js";
import { TableDisplay } from "./table-display.js";

/** Does the runs of a table's shard, and keeps in the folder of results what it is a shard of. */
export async function keepTableShard(
  work: ReturnType<typeof runTableShard>,
  call: ShardCall,
): Promise<number> {
  const label = `shard ${shardText(call.shard)}`;
  const record = new ShardRecord(call);
  using display = new TableDisplay();
  for await (const event of usageUntilBegun(work)) {
    if (event.type === "shard") {
      record.begin(event);
      note(`${label}: kept in ${shownPath(event.folder)}`);
    } else display.show(event);
  }
  const result = await work.then(undefined, (error) => {
    if (isAbort(error)) {
      record.stop();
      warn("stopped: the same command resumes the work");
    }
    throw error;
  });
  record.finish(result);
  out(`${label} is done; when all are: npx sqa merge ${shownPath(result.folder)}`);
  return exitCode.done;
}

import { basename } from "node:path";
import { isAbort } from "../../../base/index.js";
import { audit, auditShard } from "../../../evaluation/index.js";
import type { CommandContext } from "../../frame/command.js";
import { exitCode } from "../../frame/exit-code.js";
import { sayStopped } from "../../frame/look.js";
import { prepareFolder, usageUntilBegun } from "../../frame/usage-error.js";
import { runJobs } from "../shards/jobs.js";
import { keepShard } from "../shards/keep-shard.js";
import { requestOf, shardCommand } from "../shards/request.js";
import { shardOf } from "../shards/shard-options.js";
import { auditOptions, type GivenAudit } from "./audit-options.js";
import { openAudit } from "./open-audit.js";
import { withBar } from "./progress.js";
import { refuseForeignFiles, refuseOtherReport, showReport } from "./show-report.js";

/**
 * Audits the model that a text stands for, or works on a shard of it, and returns the exit code. That of a
 * shard says nothing of a criterion: `sqa merge` does.
 */
export async function runAudit(given: GivenAudit, text: string, context: CommandContext): Promise<number> {
  const { signal } = context;
  const shard = shardOf(given);
  const opened = await openAudit(given, text, context);
  const { model, images, options, parent } = opened;
  const request = requestOf("audit", given, context);
  if (shard !== undefined) {
    const { expectClean: _, ...asked } = options;
    const work = auditShard(model, images, { ...asked, shard, folder: parent });
    const call = { shard, request, text: shardCommand(request, shard, auditOptions) };
    return keepShard(work, call, given);
  }
  if (given.out !== undefined) prepareFolder("--out", given.out);
  const named = given.force ? undefined : given.out;
  if (named !== undefined) refuseForeignFiles(named, opened);
  let { batchSize } = options;
  if (given.jobs > 1) {
    const done = await runJobs({ request, folder: parent, jobs: given.jobs, threads: given.threads }, signal);
    if (done === undefined) return exitCode.stopped;
    batchSize = Number(done.facts["batch size"]);
  }
  const work = audit(model, images, { ...options, batchSize, folder: parent });
  for await (const event of withBar(usageUntilBegun(work))) {
    if (event.type === "estimate" && named !== undefined) refuseOtherReport(named, basename(event.folder!));
  }
  const report = await work.then(undefined, (error) => {
    if (isAbort(error)) sayStopped();
    throw error;
  });
  return showReport(report, given.out ?? report.folder ?? parent, given);
}

// Program of a process that does one job of `runJobs`: it is sent the job, and tells what happens.
import { loadUserModule } from "../../../base/index.js";
import { setThreads, workApart } from "../../../engine/index.js";
import { configureOutput } from "../../frame/output.js";
import type { JobEvent, JobTask } from "./jobs.js";
import { shardWork } from "./shard-work.js";

workApart(async function* ({ request, shard, folder, threads }: JobTask, signal): AsyncGenerator<JobEvent> {
  configureOutput({ quiet: true });
  setThreads(threads);
  for (const file of request.imports) await loadUserModule(file);
  const { work } = await shardWork(request, { shard, folder, signal });
  yield* work;
  const { id, folder: kept, facts } = await work;
  yield { type: "done", id, folder: kept, facts };
});

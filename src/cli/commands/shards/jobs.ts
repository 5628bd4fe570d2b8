import { availableParallelism } from "node:os";
import { countText } from "../../../base/index.js";
import { EndedProcessError, programBeside, runApart } from "../../../engine/index.js";
import type { Shard, ShardEvent, ShardSubject } from "../../../evaluation/index.js";
import { sayEnded, sayStopped } from "../../frame/look.js";
import { note } from "../../frame/output.js";
import { JobsProgress } from "./jobs-progress.js";
import type { Request } from "./request.js";

/** Message to the process of a job. */
export interface JobTask {
  readonly request: Request;
  readonly shard: Shard;
  /** Folder in which the folder of the work lies. */
  readonly folder: string;
  readonly threads: number;
}

/** Message from the process of a job. */
export type JobEvent = ShardEvent | ({ readonly type: "done" } & ShardSubject);

/** Jobs that share the work of a request. */
export interface Jobs {
  readonly request: Request;
  readonly folder: string;
  readonly jobs: number;
  /** Threads of each; an even share of the processors where left out. */
  readonly threads: number | undefined;
}

/**
 * Does the work of a request in several processes, which keep it in one folder. Each has its share of the
 * batches. One that is killed is named, and the others go on: undefined is returned then, and the same call
 * does what is left.
 *
 * @throws the signal's reason where it stopped them, and an error that a process told of
 */
export async function runJobs(
  { request, folder, jobs, threads: own }: Jobs,
  signal: AbortSignal,
): Promise<ShardSubject | undefined> {
  const threads = own ?? Math.max(1, Math.floor(availableParallelism() / jobs));
  const program = programBeside(import.meta.url, "job-process");
  using progress = new JobsProgress(request.command, jobs, request.command === "audit");
  let subject: ShardSubject | undefined;
  const tell = (index: number, event: JobEvent) => {
    if (event.type === "done") subject = event;
    else progress.tell(index, event);
  };
  note(`${jobs} jobs with ${countText(threads, "thread")} each`);
  const work = Array.from({ length: jobs }, (_, i) => {
    const shard = { index: i + 1, count: jobs };
    const task: JobTask = { request, shard, folder, threads };
    const isLast = (event: JobEvent) => event.type === "done";
    const name = `job ${i + 1} of ${jobs}`;
    return runApart({ name, program, task, isLast, tell: (event: JobEvent) => tell(i, event) }, signal);
  });
  const ends = await Promise.allSettled(work);
  if (signal.aborted) sayStopped();
  AbortSignal.prototype.throwIfAborted.call(signal);
  const faults = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  const ended = faults.filter((fault) => fault instanceof EndedProcessError);
  const told = faults.find((fault) => !(fault instanceof EndedProcessError));
  if (told !== undefined) throw told;
  if (faults.length === 0) {
    progress.finish();
    return subject;
  }
  sayEnded(ended);
  return undefined;
}

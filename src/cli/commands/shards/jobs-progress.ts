import { join } from "node:path";
import { AttackLog, type ShardEvent } from "../../../evaluation/index.js";
import { percent } from "../../../report/index.js";
import { Progress } from "../../frame/progress.js";

type AttackEvent = Extract<ShardEvent, { type: "attack" }>;

/** Mean over images of shares that jobs tell of their own; undefined where one tells none. */
function meanOf(events: readonly AttackEvent[], share: "accuracy" | "worst"): number | undefined {
  if (events.some((event) => event[share] === undefined)) return undefined;
  const images = events.reduce((sum, event) => sum + event.images, 0);
  return events.reduce((sum, event) => sum + event[share]! * event.images, 0) / images;
}

/** Attack that all jobs have ended, over all images. */
interface Ended {
  readonly label: string;
  readonly accuracy: number | undefined;
  readonly worst: number | undefined;
}

/**
 * Progress of jobs together: a bar with the worst case so far, and a log for TensorBoard of an audit's
 * attacks, each where all jobs have ended it.
 */
export class JobsProgress implements Disposable {
  readonly #bar: Progress;
  readonly #shares = new Map<number, { readonly done: number; readonly total: number }>();
  /** Ended attacks of each job that has images, in the order that all have. */
  readonly #ended: Map<number, AttackEvent[]>;
  readonly #logs: boolean;
  #log: AttackLog | undefined;
  #told = 0;

  /** @param logs writes a log for TensorBoard into `tb`, in the folder that the jobs keep their work in */
  constructor(label: string, jobs: number, logs: boolean) {
    this.#bar = new Progress({ label, unit: "attacked images" });
    this.#logs = logs;
    this.#ended = new Map(Array.from({ length: jobs }, (_, job) => [job, []]));
  }

  /** Takes an event of a job. */
  tell(job: number, event: ShardEvent): void {
    if (event.type === "shard") {
      if (this.#logs) this.#log ??= new AttackLog(join(event.folder, "tb"));
    } else if (event.type === "progress") {
      this.#shares.set(job, event);
      const sum = (part: "done" | "total") =>
        [...this.#shares.values()].reduce((all, one) => all + one[part], 0);
      // Until all have begun, the total is not known.
      const total = this.#shares.size === this.#ended.size ? { total: sum("total") } : {};
      this.#bar.update({ done: sum("done"), ...total });
    } else {
      this.#ended.get(job)?.push(event);
      for (const one of this.#news()) this.#show(one);
    }
  }

  /** Attacks that all jobs have ended since the last call. */
  #news(): Ended[] {
    const ofJobs = [...this.#ended.values()];
    const all = Math.min(...ofJobs.map((events) => events.length));
    const found: Ended[] = [];
    for (; this.#told < all; this.#told++) {
      const events = ofJobs.map((one) => one[this.#told]!);
      const [{ label }] = events as [AttackEvent];
      found.push({ label, accuracy: meanOf(events, "accuracy"), worst: meanOf(events, "worst") });
    }
    return found;
  }

  #show({ label, accuracy, worst }: Ended): void {
    this.#log?.add(accuracy === undefined ? undefined : { label, accuracy, worst });
    const shown = worst ?? accuracy;
    if (shown === undefined) return;
    const name = worst === undefined ? `under ${label}` : "worst so far";
    this.#bar.update({ metrics: { [name]: `${percent(shown, 1)} %` } });
  }

  /** Takes the bar away when the work is done. */
  finish(): void {
    this.#bar.finish();
  }

  [Symbol.dispose](): void {
    this.#bar[Symbol.dispose]();
  }
}

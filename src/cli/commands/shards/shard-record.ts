import { hostname } from "node:os";
import { isAbort, packageVersion } from "../../../base/index.js";
import { checkDevice, versions } from "../../../engine/index.js";
import {
  machineFacts,
  readManifests,
  type Shard,
  type ShardManifest,
  type ShardResult,
  type ShardSitting,
  type ShardSubject,
  shardText,
  writeManifest,
} from "../../../evaluation/index.js";
import { sayStopped } from "../../frame/look.js";
import { out } from "../../frame/output.js";
import { shownPath } from "../../frame/shown-path.js";
import type { Request } from "./request.js";

/** Shard in messages, such as "shard 2/8". */
export const shardLabel = (shard: Shard) => `shard ${shardText(shard)}`;

/** Says that a shard is done, and what makes the result of all. */
export function sayShardDone(shard: Shard, folder: string): void {
  out(`${shardLabel(shard)} is done; when all are: npx sqa merge ${shownPath(folder)}`);
}

/** Versions that numbers depend on, as facts of a shard. */
export function versionFacts() {
  return { "version of sqa": packageVersion(), "version of libtorch": versions().libtorch };
}

/** Sittings that a manifest keeps, the last ones. */
const mostSittings = 1000;

/** Call of a command to work on a shard. */
export interface ShardCall {
  readonly shard: Shard;
  readonly request: Request;
  /** Command line of the call, with the number of the shard. */
  readonly text: string;
}

/**
 * Keeps beside a shard's work what it is a shard of and what it ran on: written when the work begins, so that
 * a killed process leaves its trace, and when it ends or is stopped.
 */
export class ShardRecord {
  readonly #call: ShardCall;
  readonly #startedAt = new Date().toISOString();
  #machine: ReturnType<typeof machineFacts> | undefined;
  #subject: ShardSubject | undefined;
  #before: readonly ShardSitting[] = [];

  constructor(call: ShardCall) {
    this.#call = call;
  }

  /** Begins the work. An Error for a folder with shards of another version: numbers would be mixed. */
  begin(subject: ShardSubject): void {
    const facts = versionFacts();
    const found = readManifests(subject.folder);
    for (const other of found) {
      for (const [name, version] of Object.entries(facts)) {
        if (other.facts[name] === version) continue;
        throw new Error(
          `${subject.folder} holds a shard of another ${name}: ${other.facts[name]}, and this is ` +
            `${version}; give another folder, or remove it`,
        );
      }
    }
    const { shard, request } = this.#call;
    this.#machine = machineFacts(checkDevice(String(request.options.device)));
    this.#before = found.find((other) => shardText(other) === shardText(shard))?.sittings ?? [];
    this.#subject = subject;
    this.#write({ finishedAt: null, complete: false, failed: [] });
  }

  /** Result of the work; keeps when it ended, also where it was stopped, which is said. */
  async endOf<Result extends Pick<ShardResult, "failed">>(work: PromiseLike<Result>): Promise<Result> {
    const result = await work.then(undefined, (error) => {
      if (isAbort(error)) {
        this.#stop();
        sayStopped();
      }
      throw error;
    });
    this.#write({ finishedAt: new Date().toISOString(), complete: true, failed: [...result.failed] });
    return result;
  }

  /** Ends a work that was stopped; it may not have begun. */
  #stop(): void {
    if (this.#subject === undefined) return;
    this.#write({ finishedAt: new Date().toISOString(), complete: false, failed: [] });
  }

  #write({
    finishedAt,
    ...state
  }: Pick<ShardManifest, "complete" | "failed"> & Pick<ShardSitting, "finishedAt">): void {
    const { shard, request, text } = this.#call;
    const { id, facts, folder } = this.#subject!;
    const { command, operands, options, imports } = request;
    const sitting: ShardSitting = {
      host: hostname(),
      ...this.#machine!,
      ...{ startedAt: this.#startedAt, finishedAt, command: text },
    };
    writeManifest(folder, {
      ...{ format: 2, command, id, ...shard, facts: { ...facts, ...versionFacts() } },
      sittings: [...this.#before, sitting].slice(-mostSittings),
      request: { operands: [...operands], options, imports: [...imports] },
      ...state,
    });
  }
}

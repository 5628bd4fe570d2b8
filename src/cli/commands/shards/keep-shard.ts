import type { Work } from "../../../base/index.js";
import { isAbort, packageVersion } from "../../../base/index.js";
import { versions } from "../../../engine/index.js";
import {
  readManifests,
  type Shard,
  type ShardEvent,
  type ShardManifest,
  type ShardResult,
  type ShardSubject,
  writeManifest,
} from "../../../evaluation/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { note, out, warn } from "../../frame/output.js";
import { withProgress } from "../../frame/progress.js";
import { shownPath } from "../../frame/shown-path.js";
import { usageUntilBegun } from "../../frame/usage-error.js";
import type { Request } from "./request.js";

/** Versions that numbers depend on, as facts of a shard. */
export function versionFacts() {
  return { "version of sqa": packageVersion(), "version of libtorch": versions().libtorch };
}

/** Properties of this machine that decide last bits, beside the versions. */
function machine(device: unknown): Record<string, string> {
  const { cpuCapability, kernels } = versions();
  return { device: String(device), cpuCapability, kernels };
}

/** Does a shard's work, and keeps beside its trials what it is a shard of. */
export async function keepShard(
  work: Work<ShardEvent, ShardResult>,
  shard: Shard,
  { command, ...request }: Request,
  json: boolean,
): Promise<number> {
  const label = `shard ${shard.index}/${shard.count}`;
  const manifestOf = ({ id, facts }: ShardSubject): ShardManifest => ({
    ...{ format: 1, command, id, ...shard, facts: { ...facts, ...versionFacts() } },
    machine: machine(request.options.device),
    request: { ...request, operands: [...request.operands], imports: [...request.imports] },
    complete: false,
    failed: [],
  });
  for await (const event of withShardBar(usageUntilBegun(work), label)) {
    if (event.type !== "shard") continue;
    const manifest = manifestOf(event);
    refuseOthers(event.folder, manifest);
    writeManifest(event.folder, manifest);
    note(`${label}: ${event.images} images, ${event.trials} attacks, kept in ${shownPath(event.folder)}`);
  }
  const result = await work.then(undefined, (error) => {
    if (isAbort(error)) warn("stopped: the same command goes on");
    throw error;
  });
  writeManifest(result.folder, { ...manifestOf(result), complete: true, failed: [...result.failed] });
  for (const { trial, error } of result.failed) warn(`${trial} failed: ${error}`);
  if (json) out(JSON.stringify({ shard, id: result.id, folder: result.folder, failed: result.failed }));
  else out(`${label} is done; when all are: sqa merge ${shownPath(result.folder)}`);
  return exitCode.done;
}

/** Refuses a folder with shards of another version: their numbers would be mixed. */
function refuseOthers(folder: string, { facts }: ShardManifest): void {
  for (const other of readManifests(folder)) {
    for (const name of Object.keys(versionFacts())) {
      if (other.facts[name] === facts[name]) continue;
      throw new Error(
        `${folder} holds a shard of another ${name}: ${other.facts[name]}, and this is ${facts[name]}; ` +
          "give another --out, or remove the folder",
      );
    }
  }
}

/** Passes events on, and shows a bar over the images of all trials. */
function withShardBar(events: AsyncIterable<ShardEvent>, label: string) {
  return withProgress(events, { label }, (event) => {
    if (event.type !== "progress") return undefined;
    const { attack, done, total } = event;
    return { done, total, metrics: { under: attack.replace(/\(.*/s, "") } };
  });
}

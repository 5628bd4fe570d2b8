import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FileFormatError, MissingFileError, statusAt } from "../../base/index.js";
import { shardText } from "../../trials/index.js";
import { type FoundShard, readManifests } from "./manifest.js";
import type { ShardFacts } from "./shard-steps.js";

/** All shards of an audit, an evaluation or a table, which were found to belong together. */
export interface ShardSet {
  readonly command: FoundShard["command"];
  readonly id: string;
  readonly facts: ShardFacts;
  readonly request: FoundShard["request"];
  /** Finished shards in their order; one that several folders hold stands there for each. */
  readonly shards: readonly FoundShard[];
  /** Folders that hold their trials. */
  readonly folders: readonly string[];
  /** Ids of trials that ended in an error in some shard. */
  readonly failed: ReadonlySet<string>;
  /** Machines that differ in what decides last bits, as text; one where all are alike. */
  readonly machines: readonly string[];
}

/** Folders looked into where one holds no shard itself. */
const mostFolders = 10_000;

/**
 * Gathers the shards that folders hold: each the folder of an audit, an evaluation or a table's shards, or
 * one that has such folders in it.
 *
 * @throws FileFormatError that names the first shard of another model, other images, another version or other
 *   options; Error that says which shards are missing or not finished
 */
export function gatherShards(folders: readonly string[]): ShardSet {
  const found = folders.flatMap(shardsIn);
  const [first] = found;
  if (first === undefined) throw new FileFormatError(`${folders.join(", ")}: no shard is there`);
  for (const other of found) checkAlike(first, other);
  const whole = wholeCut(found);
  const sittings = whole.flatMap((shard) => shard.sittings);
  const machines = sittings.map(({ device, cpuCapability, kernels }) =>
    [device, cpuCapability, kernels].join(", "),
  );
  return {
    command: first.command,
    id: first.id,
    facts: first.facts,
    request: first.request,
    shards: whole,
    folders: [...new Set(whole.map(({ folder }) => folder))],
    failed: new Set(whole.flatMap(({ failed }) => failed.map(({ trial }) => trial))),
    machines: [...new Set(machines)],
  };
}

function shardsIn(folder: string): FoundShard[] {
  if (statusAt(folder)?.isDirectory() !== true)
    throw new MissingFileError(`${folder} is no folder: give those that shards were written to`);
  const own = readManifests(folder);
  if (own.length > 0) return own;
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const within = inner.slice(0, mostFolders).flatMap(({ name }) => readManifests(join(folder, name)));
  if (within.length === 0) throw new FileFormatError(`${folder} holds no shard`);
  return within;
}

const nameOf = (shard: FoundShard) => `shard ${shardText(shard)} in ${shard.folder}`;

function checkAlike(first: FoundShard, other: FoundShard): void {
  if (first.command !== other.command)
    throw new FileFormatError(
      `${nameOf(other)} is of sqa ${other.command}, and ${nameOf(first)} of sqa ${first.command}`,
    );
  const difference = firstDifference(first.facts, other.facts);
  if (difference === undefined) return;
  const [name, before, after] = difference;
  throw new FileFormatError(
    `${nameOf(other)} is of another ${name} than ${nameOf(first)}: ${after}, not ${before}`,
  );
}

/** Name of the first fact in which two differ, with both values. */
function firstDifference(one: ShardFacts, other: ShardFacts): [string, string, string] | undefined {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const name = names.find((key) => one[key] !== other[key]);
  if (name === undefined) return undefined;
  const [before, after] = [one[name], other[name]].map((value) => String(value ?? "none"));
  return [name, before!, after!];
}

/** Refuses a model, images or options of today that are not those of the shards. */
export function checkFacts({ facts }: ShardSet, now: ShardFacts): void {
  const kept = Object.fromEntries(Object.keys(now).map((name) => [name, facts[name] ?? "none"]));
  const difference = firstDifference(kept, now);
  if (difference === undefined) return;
  const [name, before, after] = difference;
  throw new FileFormatError(`the shards are of another ${name} than is here: ${before}, not ${after}`);
}

/** Shards of one number of parts, all of which are there and finished. */
function wholeCut(found: readonly FoundShard[]): FoundShard[] {
  const counts = [...new Set(found.map(({ count }) => count))].sort((a, b) => a - b);
  const faults: string[] = [];
  let lacking = 0;
  for (const count of counts) {
    const cut = found.filter((shard) => shard.count === count);
    const done = cut.filter(({ complete }) => complete);
    const isThere = (among: readonly FoundShard[], index: number) => among.some((one) => one.index === index);
    const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !isThere(done, index));
    if (missing.length === 0) return done.sort((a, b) => a.index - b.index);
    lacking += missing.length;
    const begun = missing.filter((index) => isThere(cut, index));
    const never = missing.filter((index) => !begun.includes(index));
    if (never.length > 0) faults.push(`${listed(never, count)} missing`);
    if (begun.length > 0) faults.push(`${listed(begun, count)} not finished`);
  }
  throw new Error(`${faults.join("; ")}: run ${lacking === 1 ? "it" : "them"}, then merge again`);
}

/** Shards as the beginning of a sentence, such as `shards 2/4 and 3/4 are`. */
function listed(indices: readonly number[], count: number): string {
  const names = indices.slice(0, 20).map((index) => shardText({ index, count }));
  if (indices.length > names.length) names.push(`${indices.length - names.length} more`);
  if (names.length === 1) return `shard ${names[0]} is`;
  return `shards ${names.slice(0, -1).join(", ")} and ${names.at(-1)} are`;
}

import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod";
import {
  FileFormatError,
  firstFault,
  makeFolder,
  parseStrictJson,
  readTextFile,
  removeAbandoned,
  writeFileAtomic,
} from "../../base/index.js";
import { sitting } from "../audit/report/schema/evidence.js";

const text = z.string().max(100_000);
const texts = z.array(text).max(10_000);

const schema = z.strictObject({
  /** Version of this file's form. */
  format: z.literal(2),
  command: z.enum(["audit", "evaluate", "paper"]),
  id: text,
  index: z.int().min(1),
  count: z.int().min(1).max(999_999),
  /** All that decides the numbers, by names. */
  facts: z.record(text, z.union([text, z.number()])),
  /** Processes that worked on it, in order: other kernels may give other last bits. */
  sittings: z.array(sitting).max(10_000),
  /** Words that the command was called with, by which the merge finds the model and the images. */
  request: z.strictObject({ operands: texts, options: z.record(text, z.unknown()), imports: texts }),
  complete: z.boolean(),
  /** Trials that ended in an error. */
  failed: z.array(z.strictObject({ trial: text, error: text })).max(10_000),
});

/** Tells of a shard, in the folder that keeps its trials: `shard-2-of-4.json`. */
export type ShardManifest = z.output<typeof schema>;

/** Process that worked on a shard: its machine, versions and times. */
export type ShardSitting = z.output<typeof sitting>;

/** Names of manifests. */
const manifestName = /^shard-\d{1,6}-of-\d{1,6}\.json$/;

/** Bytes that a manifest may have. */
const mostBytes = 2 ** 22;

/** Levels of lists and objects in a manifest: options are flat but for lists. */
const mostLevels = 8;

/** Path of a shard's manifest. */
export function manifestFile(folder: string, { index, count }: { index: number; count: number }): string {
  return join(folder, `shard-${index}-of-${count}.json`);
}

/** Writes the manifest of a shard, in place of an earlier one. */
export function writeManifest(folder: string, manifest: ShardManifest): void {
  makeFolder(folder);
  removeAbandoned(folder);
  writeFileAtomic(manifestFile(folder, manifest), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Manifest and the folder that it lies in. */
export interface FoundShard extends ShardManifest {
  readonly folder: string;
}

function manifestsIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => manifestName.test(name)) : [];
}

/** Tells whether manifests of shards lie in a folder, readable or not. */
export function hasManifests(folder: string): boolean {
  return manifestsIn(folder).length > 0;
}

/** Shards whose manifests lie in a folder, if it is there. FileFormatError names a file at fault. */
export function readManifests(folder: string): FoundShard[] {
  return manifestsIn(folder)
    .sort()
    .map((name) => ({ ...readManifest(join(folder, name)), folder }));
}

function readManifest(file: string): ShardManifest {
  const fail = (problem: string, cause?: unknown) =>
    new FileFormatError(`${file}: ${problem}; delete it, and run its shard again`, { cause });
  let json: unknown;
  try {
    json = parseStrictJson(readTextFile(file, mostBytes), mostLevels);
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    throw fail(`is no manifest of a shard: ${(error as Error).message}`, error);
  }
  const { success, data, error } = schema.safeParse(json);
  if (!success) throw fail(`is no manifest of a shard: ${firstFault(error)}`, error);
  if (data.index > data.count || basename(file) !== manifestFile("", data))
    throw fail(`is of shard ${data.index}/${data.count}, and not of the one that it is named after`);
  return data;
}

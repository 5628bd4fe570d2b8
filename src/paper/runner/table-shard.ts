import { createHash } from "node:crypto";
import { join } from "node:path";
import { checkFolder, type Steps, Work } from "../../base/index.js";
import { contentHash, type Dataset, prepareImages } from "../../datasets/index.js";
import { threads as currentThreads, setThreads } from "../../engine/index.js";
import {
  checkShard,
  type Shard,
  type ShardFacts,
  type ShardResult,
  type ShardSubject,
} from "../../evaluation/index.js";
import type { Definition } from "../../options/index.js";
import type { Table } from "../table.js";
import type { Cell, CellEvent } from "./cell.js";
import { runCellsAtOnce, shareForCells } from "./cells-at-once.js";
import { checkCells } from "./check-cells.js";
import { type RunTableOptions, type Settings, type TableEvent, tableSettings } from "./run-table.js";

/** Options of a shard of a table: those of the whole, with the shard and the folder that tells of it. */
export interface TableShardOptions extends RunTableOptions {
  readonly shard: Shard;
  /** Folder in which the folder of the table's shards lies; several shards may share it. */
  readonly folder: string;
}

/** Event of a shard of a table in the making. */
export type TableShardEvent =
  /** Table that it is a shard of, before its first run. */
  | ({ readonly type: "shard" } & ShardSubject)
  /** `cells` of the start are the names of the shard's runs. */
  | Extract<TableEvent, { type: "start" }>
  | CellEvent;

/** Runs of a shard: every `count`th of the table's, from number `index` on. */
export function cellsOfShard(cells: readonly Cell[], { index, count }: Shard): Cell[] {
  return cells.filter((_, i) => i % count === index - 1);
}

/** Facts of a table that its text and its device decide. */
export function tableFacts({ name, options }: Table, device: string): ShardFacts {
  const texts = Object.entries(options as Record<string, unknown>).map(([option, value]) => {
    // The folder of a data set is no part of what it is.
    const identity = (value as Partial<Dataset> | undefined)?.identity;
    return [`option ${option}`, identity ?? JSON.stringify(value) ?? "none"];
  });
  return { table: name, ...Object.fromEntries(texts), device };
}

/** Facts of the images that runs are trained on and asked for; undefined where the signal stopped it. */
async function imageFacts(cells: readonly Cell[], signal: AbortSignal): Promise<ShardFacts | undefined> {
  const sets = new Map(cells.map(({ config: { data } }) => [String(data.identity), data]));
  const texts: string[] = [];
  for (const { train, test } of sets.values()) {
    for (const split of [train, test]) {
      try {
        await prepareImages(split, { signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
      texts.push(`${split.count} of ${split.name} ${contentHash(split).slice(0, 12)}`);
    }
  }
  return { images: texts.join(", ") || "none" };
}

/**
 * Does the runs of a shard of a table, in the folder of runs. Its result names the folder in which a record
 * of the shard belongs. `mergeTable` makes the table of all shards.
 *
 * @throws TypeError or RangeError, before anything runs, as `runTable`, for a shard that is none, for more
 *   shards than runs, and for a table whose runs are timed and so compared on one machine
 * @example
 * await runTableShard(table1, { seeds: 3 }, { shard: { index: 1, count: 2 }, folder: "results" });
 */
export function runTableShard(
  table: Definition<Table> | string,
  options: Readonly<Record<string, unknown>>,
  work: TableShardOptions,
): Work<TableShardEvent, ShardResult> {
  const { value, settings } = tableSettings(table, options, work, ["shard", "folder"]);
  const { shard, folder } = work;
  checkFolder("folder", folder);
  if (value.timed) {
    throw new RangeError(
      `${value.name} compares times, which are measured on one machine: make it without shards`,
    );
  }
  const cells = value.cells(settings.device);
  if (cells.length === 0)
    throw new RangeError(`${value.name} has no runs to share out: make it without shards`);
  checkShard(shard, cells.length, "runs");
  checkCells(cells, settings.runs);
  return new Work((signal) => steps({ table: value, cells, shard, folder }, settings, signal), work.signal);
}

interface Part {
  readonly table: Table;
  readonly cells: readonly Cell[];
  readonly shard: Shard;
  readonly folder: string;
}

async function* steps(
  { table, cells, shard, folder }: Part,
  settings: Settings,
  signal: AbortSignal,
): Steps<TableShardEvent, ShardResult> {
  const { runs, device, imports = [] } = settings;
  const images = await imageFacts(cells, signal);
  if (images === undefined) return undefined;
  const facts = { ...tableFacts(table, device), ...images };
  const hash = createHash("sha256").update(JSON.stringify(facts)).digest("hex");
  const id = `${table.fileName}-shards-${hash.slice(0, 8)}`;
  const subject = { id, folder: join(folder, id), facts };
  const own = cellsOfShard(cells, shard);
  // The threads of the whole table, since numbers depend on them in their last bits.
  const { jobs, threads } = shareForCells(cells, settings);
  const threadsBefore = currentThreads();
  try {
    if (threads !== undefined) setThreads(threads);
    yield { type: "shard", ...subject };
    yield {
      type: "start",
      table: String(table),
      cells: own.map(({ name }) => name),
      jobs: Math.min(jobs, own.length),
    };
    const outcomes = yield* runCellsAtOnce(own, { runs, device, threads, jobs, imports }, signal);
    return outcomes === undefined ? undefined : { ...subject, failed: [] };
  } finally {
    setThreads(threadsBefore);
  }
}

import { FileFormatError, type Steps, Work } from "../../base/index.js";
import { checkFacts, type ShardSet, type ShardSitting, shardText } from "../../evaluation/index.js";
import { TableResult } from "../result.js";
import { type Found, type ProgressEvent, type Table, tables } from "../table.js";
import type { CellOutcome } from "./cell.js";
import { keptOutcome } from "./run-cells.js";
import { type Machine, machineWith } from "./share-machine.js";
import { cellsOfShard, tableFacts } from "./table-shard.js";

/**
 * Makes a table of its shards, out of the folders of runs that they name: its data are those of one run, byte
 * for byte, but for measured seconds. Rows tell the machines that their shards ran on.
 *
 * @param shards outcome of `gatherShards`
 * @throws FileFormatError where the table is not that of the shards, and where a run is not where its shard
 *   left it
 */
export function mergeTable(
  shards: ShardSet,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Work<ProgressEvent, TableResult> {
  return new Work((stopped) => steps(shards, stopped), signal);
}

async function* steps(shards: ShardSet, signal: AbortSignal): Steps<ProgressEvent, TableResult> {
  const device = String(shards.facts.device);
  const table = tableOfShards(shards);
  checkFacts(shards, tableFacts(table, device));
  const cells = table.cells(device);
  const outcomes = new Map<string, CellOutcome>();
  const machines = new Map<string, Machine>();
  const missing = new Map<string, string>();
  for (const shard of shards.shards) {
    const runs = String(shard.request.options.runs);
    for (const cell of cellsOfShard(cells, shard)) {
      const outcome = outcomes.get(cell.name) ?? keptOutcome(cell, runs);
      if (outcome === undefined) {
        const where = `${runs}: run ${cell.name} of shard ${shardText(shard)}`;
        missing.set(cell.name, `${where} is missing or not finished: bring it there, or run the shard again`);
        continue;
      }
      outcomes.set(cell.name, outcome);
      machines.set(cell.name, machineOf(shard.sittings.at(-1), device));
    }
  }
  const lost = cells.find(({ name }) => !outcomes.has(name));
  if (lost !== undefined) throw new FileFormatError(missing.get(lost.name)!);
  const found: Found = { outcomes, machine: machineWith(device), machines, device, signal };
  const data = yield* table.gather(found);
  return data === undefined ? undefined : new TableResult(table, data);
}

/** Table that the shards are of. FileFormatError for a text that stands for none. */
export function tableOfShards({ request: { operands }, folders }: ShardSet): Table {
  try {
    return tables.parse(operands[0] ?? "");
  } catch (cause) {
    throw new FileFormatError(`${folders[0]}: ${(cause as Error).message}`, { cause });
  }
}

/** Machine of a shard as rows of tables tell it. */
function machineOf(sitting: ShardSitting | undefined, device: string): Machine {
  if (sitting === undefined) return machineWith(device);
  const { libtorch, cpuCapability, kernels, threads, node, cpu, gpu } = sitting;
  const model = device === "cpu" ? cpu.replace(/^\d+ x /, "") : gpu;
  const described = { libtorch, cpuCapability, kernels, device, threads, node };
  return model === null ? described : { ...described, model };
}

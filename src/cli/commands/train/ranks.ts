import { availableParallelism, cpus } from "node:os";
import { countText } from "../../../base/index.js";
import {
  alone,
  FirstRankError,
  joinRanks,
  type Launch,
  launchOf,
  type Ranks,
  rankDevice,
} from "../../../engine/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { configureOutput, note, type OutputStream } from "../../frame/output.js";
import { asUsage } from "../../frame/usage-error.js";

/** Ranks of a run, and what this one computes with. */
export interface RankOptions {
  readonly ranks: Ranks;
  readonly threads: number | undefined;
  readonly device: string;
  /** Words before a command that start as many ranks again; none for a process by itself. */
  readonly launcher: readonly string[];
}

const nowhere: OutputStream = { write: () => true };

/**
 * Ranks that a launcher started, each with its share of the machine's processors where no threads are asked
 * for, and with a device of its own. With `standalone` a process trains by itself.
 *
 * @throws UsageError where the launcher's variables contradict each other, or several ranks cannot do it
 */
export function ranksOf(given: {
  readonly standalone: boolean;
  readonly device: string;
  readonly threads?: number | undefined;
}): RankOptions {
  const { standalone, threads } = given;
  const launch = standalone ? undefined : asUsage(() => launchOf());
  if (launch === undefined || launch.size === 1)
    return { ranks: alone, threads, device: given.device, launcher: [] };
  const device = asUsage(() => rankDevice(given.device, launch));
  const ranks = asUsage(() => joinRanks(launch));
  const own = threads ?? threadsOf(launch);
  if (ranks.isFirst) note(`${launch.size} ranks by ${launch.launcher}, ${countText(own, "thread")} each`);
  return { ranks, threads: own, device, launcher: wordsOf(launch) };
}

/** Words that start ranks again as they were started, on one machine. */
function wordsOf({ launcher, size }: Launch): string[] {
  if (launcher === "torchrun") return ["torchrun", "--nproc-per-node", String(size), "--no-python"];
  return launcher === "srun" ? ["srun", "--mpi=pmix", "-n", String(size)] : ["mpirun", "-n", String(size)];
}

/** A rank's share of the processors, of which the launcher may have given it some already. */
function threadsOf({ size, localSize = size }: Launch): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cpus().length / localSize)));
}

/**
 * Does a command's work with nothing shown of it on other ranks than the first; its errors are, but those
 * that the first one tells of. Returns the exit code.
 */
export async function quietBesideFirst(ranks: Ranks, work: () => Promise<number>): Promise<number> {
  if (ranks.isFirst) return work();
  const restore = configureOutput({ stdout: nowhere, stderr: nowhere, quiet: true });
  try {
    return await work();
  } catch (error) {
    // The first one ends all ranks with its own code.
    if (error instanceof FirstRankError) return exitCode.done;
    throw error;
  } finally {
    restore();
  }
}

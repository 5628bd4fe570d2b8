import { availableParallelism, cpus } from "node:os";
import * as z from "zod";
import { gpuNames, threads, versions } from "../../engine/index.js";

/** Cells at a time, and threads of an operator. */
export interface Share {
  readonly jobs: number;
  readonly threads: number | undefined;
}

/**
 * Share of the machine for each of several runs. Small models gain little from a second thread, so that on a
 * CPU as many run at a time as there are processors.
 */
export function shareMachine(
  runs: number,
  {
    jobs,
    threads: own,
    device,
  }: { readonly jobs?: number | undefined; readonly threads?: number | undefined; readonly device: string },
): Share {
  const processors = availableParallelism();
  const usual = device === "cpu" && own === undefined ? processors : 1;
  const atOnce = Math.max(1, Math.min(runs, jobs ?? usual));
  return {
    jobs: atOnce,
    threads: own ?? (atOnce > 1 ? Math.max(1, Math.floor(processors / atOnce)) : undefined),
  };
}

/** Form of what results say of the machine that they were measured on. */
export const machineSchema = z.object({
  libtorch: z.string(),
  cpuCapability: z.string(),
  kernels: z.string().optional(),
  device: z.string(),
  model: z.string().optional(),
  threads: z.int(),
  node: z.string(),
  /** Commit of the project, of results that an earlier version measured. */
  commit: z.string().optional(),
});

/** Machine that results were measured on. */
export type Machine = z.output<typeof machineSchema>;

/** This machine, with the device and the threads that a table was measured with. */
export function machineWith(device: string): Machine {
  const { libtorch, cpuCapability, kernels } = versions();
  const gpus = device === "cpu" ? undefined : gpuNames();
  const model = device === "cpu" ? cpus()[0]?.model.trim() : gpus && [...new Set(gpus)].join(", ");
  const described = { libtorch, cpuCapability, kernels, device, threads: threads(), node: process.version };
  return model === undefined ? described : { ...described, model };
}

/** Machine of several cells: where theirs differ, each of the values is named, and the most threads. */
export function joinedMachine(machines: readonly Machine[]): Machine {
  const names = [...new Set(machines.flatMap((machine) => Object.keys(machine) as (keyof Machine)[]))];
  const pairs = names.map((name) => {
    const values = [...new Set(machines.map((machine) => machine[name]))];
    const numbers = values.filter((value) => typeof value === "number");
    const texts = values.filter((value) => typeof value === "string");
    return [name, numbers.length > 0 ? Math.max(...numbers) : texts.join("; ")];
  });
  return machineSchema.parse(Object.fromEntries(pairs));
}

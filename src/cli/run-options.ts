import { availableParallelism } from "node:os";
import * as z from "zod";
import { type Precision, precisions } from "../nn/index.js";
import { precisionFor } from "../training/index.js";

/** Where a command computes; whether the device is there is asked when it begins. */
export const deviceOption = z
  .string()
  .regex(/^(cpu|cuda(:\d{1,3})?)$/, "expected cpu, cuda or cuda:N")
  .meta({ accepted: "cpu, cuda or cuda:N", placeholder: "cpu|cuda|cuda:N" })
  .default("cpu")
  .describe("where to compute");

/** What layers are trained in. */
export const precisionOption = z
  .enum(["auto", ...precisions])
  .describe(
    "what layers are trained in (weights and losses stay float32); auto: bfloat16 on a processor that multiplies it and on a " +
      "CUDA device, else float32",
  );

/** The precision that an option asks for, on a device. */
export function precisionOf(asked: z.output<typeof precisionOption>, device: string): Precision {
  return asked === "auto" ? precisionFor(device) : asked;
}

/** Options of every command that works on run folders, or that computes. */
export const runOptions = {
  runs: z.string().min(1).meta({ placeholder: "FOLDER" }).default("runs").describe("where run folders lie"),
  threads: z.int().min(1).max(1024).optional().describe("threads of one operator; libtorch's own choice if left out"),
};

/** Options of commands that do several runs. */
export const jobsOption = z
  .int()
  .min(1)
  .max(256)
  .optional()
  .describe("runs at a time, each in a process of its own; as many as processors on a CPU without --threads, else 1");

/**
 * How `runs` runs share the machine: several small networks at a time keep all processors busy, where the operators of one
 * leave a second thread idle most of the time.
 */
export function shareMachine(
  runs: number,
  { jobs, threads, device = "cpu" }: { jobs?: number | undefined; threads?: number | undefined; device?: string },
): { jobs: number; threads: number | undefined } {
  const processors = availableParallelism();
  const atOnce = Math.min(runs, jobs ?? (device === "cpu" && threads === undefined ? processors : 1));
  return { jobs: atOnce, threads: threads ?? (atOnce > 1 ? Math.max(1, Math.floor(processors / atOnce)) : undefined) };
}

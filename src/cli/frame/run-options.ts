import * as z from "zod";
import { type Precision, precisions } from "../../nn/index.js";
import { precisionFor } from "../../training/index.js";

/** Text that is not empty, such as a path; the help shows the placeholder in its place. */
export const textOption = (placeholder: string) => z.string().min(1).meta({ placeholder });

/** Device that a command computes on; it is looked for when the command begins. */
export const deviceOption = z
  .string()
  .regex(/^(cpu|cuda(:\d{1,3})?)$/, "expected cpu, cuda or cuda:N")
  .meta({ accepted: "cpu, cuda or cuda:N", placeholder: "cpu|cuda|cuda:N" })
  .default("cpu")
  .describe("device that computes");

/** Precision that layers are trained in. */
export const precisionOption = z
  .enum(["auto", ...precisions])
  .describe(
    "precision of layers in training (weights and losses stay float32); auto: bfloat16 on a processor that " +
      "multiplies it and on a CUDA device, else float32",
  );

/** The precision that an option asks for, on a device. */
export function precisionOf(asked: z.output<typeof precisionOption>, device: string): Precision {
  return asked === "auto" ? precisionFor(device) : asked;
}

/** Options of every command that works on run folders, or that computes. */
export const runOptions = {
  runs: textOption("FOLDER").default("runs").describe("folder of run folders"),
  threads: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .describe("threads of an operator (default: libtorch's choice)"),
};

/** Options of commands that do several runs. */
export const jobsOption = z
  .int()
  .min(1)
  .max(256)
  .optional()
  .describe(
    "runs at a time, each in a process of its own (default: the processors on a CPU without --threads, " +
      "else 1)",
  );

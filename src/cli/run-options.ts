import * as z from "zod";

/** Where a command computes; whether the device is there is asked when it begins. */
export const deviceOption = z
  .string()
  .regex(/^(cpu|cuda(:\d{1,3})?)$/, "expected cpu, cuda or cuda:N")
  .meta({ accepted: "cpu, cuda or cuda:N", placeholder: "cpu|cuda|cuda:N" })
  .default("cpu")
  .describe("where to compute");

/** Options of every command that works on run folders, or that computes. */
export const runOptions = {
  runs: z.string().min(1).meta({ placeholder: "FOLDER" }).default("runs").describe("where run folders lie"),
  threads: z.int().min(1).max(1024).optional().describe("threads of one operator; libtorch's own choice if left out"),
};

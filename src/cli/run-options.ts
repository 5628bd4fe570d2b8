import * as z from "zod";

/** Options of every command that works on run folders, or that computes. */
export const runOptions = {
  runs: z.string().min(1).meta({ placeholder: "FOLDER" }).default("runs").describe("where run folders lie"),
  threads: z.int().min(1).max(1024).optional().describe("threads of one operator; libtorch's own choice if left out"),
};

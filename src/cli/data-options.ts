import * as z from "zod";

/** Options of every command that reads a data set. */
export const dataOptions = {
  data: z
    .string()
    .min(1)
    .meta({ placeholder: "FOLDER" })
    .optional()
    .describe("folder of the data set's files, gzipped or not; its own place where left out"),
  checksums: z.boolean().default(true).describe("refuse files other than the official ones"),
};

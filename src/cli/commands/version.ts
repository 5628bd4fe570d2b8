import * as z from "zod";
import { defineCommand } from "../frame/command.js";
import { out } from "../frame/output.js";
import { packageVersion } from "../frame/version.js";

/** `sqa version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "show the version",
  options: z.strictObject({}),
  endsAtOnce: true,
  examples: ["sqa version"],
  async run() {
    out(packageVersion());
    return 0;
  },
});

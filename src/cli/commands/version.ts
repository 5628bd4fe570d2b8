import * as z from "zod";
import { packageVersion } from "../../base/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { out } from "../frame/output.js";

/** `sqa version`. */
export const versionCommand = defineCommand({
  name: "version",
  summary: "show the version",
  options: z.strictObject({}),
  endsAtOnce: true,
  examples: ["sqa version"],
  async run() {
    out(packageVersion());
    return exitCode.done;
  },
});

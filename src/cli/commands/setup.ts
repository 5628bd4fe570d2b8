import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { defineCommand } from "../frame/command.js";
import { textOption } from "../frame/run-options.js";

/** `sqa setup`: builds the native addon here, for a libtorch of the user's own. */
export const setupCommand = defineCommand({
  name: "setup",
  summary: "build the native addon for a libtorch of your own, such as one with CUDA",
  description:
    "Build the native addon on this machine; needs g++ and CMake. The libtorch is the one that --libtorch " +
    "names, the folder SQA_LIBTORCH, an installed Python's torch, or one that pip fetches. With " +
    "SQA_LIBTORCH set, sqa uses that addon; without it, the npm package for this platform comes first.",
  options: z.strictObject({
    libtorch: textOption("FOLDER")
      .optional()
      .describe("a folder with libtorch and its headers, or pip, debian, search"),
    yes: z.boolean().default(false).describe("install Debian packages without asking"),
  }),
  examples: ["sqa setup", "SQA_LIBTORCH=/opt/torch sqa setup"],
  endsAtOnce: true,
  async run({ libtorch, yes }) {
    const script = fileURLToPath(new URL("../../../scripts/setup.mjs", import.meta.url));
    const words = [...(libtorch === undefined ? [] : ["--libtorch", libtorch]), ...(yes ? ["--yes"] : [])];
    const { status } = spawnSync(process.execPath, [script, ...words], { stdio: "inherit" });
    return status ?? 1;
  },
});

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { type DashboardOptions, startDashboard } from "../../server/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { note, out } from "../frame/output.js";
import { runOptions, textOption } from "../frame/run-options.js";
import { shownPath } from "../frame/shown-path.js";

/** Port where none is given: the same at every start, so that an open page finds its way back. */
const usualPort = 4870;

const program = [process.execPath, fileURLToPath(new URL("../../../bin/sqa.mjs", import.meta.url))] as const;

/** Opens an address in the browser; what cannot be opened is on the terminal still. */
function openBrowser(url: string): void {
  const child = spawn("xdg-open", [url], { detached: true, stdio: "ignore" });
  child.on("error", () => note("open the address in a browser"));
  child.unref();
}

/** Serves on the usual port, or a free one where another dashboard has that. */
async function start({
  port,
  ...folders
}: Omit<DashboardOptions, "port" | "program"> & { port?: number | undefined }) {
  const options = { ...folders, program };
  if (port !== undefined) return startDashboard({ ...options, port });
  try {
    return await startDashboard({ ...options, port: usualPort });
  } catch {
    // Where it is not the port that is at fault, this fails as well, and says so.
    return startDashboard({ ...options, port: 0 });
  }
}

/** `sqa dashboard`: shows runs, audits and tables in a browser. */
export const dashboardCommand = defineCommand({
  name: "dashboard",
  summary: "show runs, audits and tables in a browser",
  description:
    "Serve a page that shows runs and audits live, compares runs, and attacks single images. Only this " +
    "machine can reach it, by the printed address. Ctrl-C ends the server; work started on the page goes on.",
  options: z.strictObject({
    runs: runOptions.runs,
    results: textOption("FOLDER").default("results").describe("folder of the paper's tables and figures"),
    models: textOption("FOLDER")
      .optional()
      .describe("folder of exported models (.pt2, .onnx) for the playground (default: those below --runs)"),
    port: z
      .int()
      .min(0)
      .max(65535)
      .optional()
      .describe(`port, 0 for any that is free (default: ${usualPort}, or a free one where that is taken)`),
    open: z.boolean().default(false).describe("open the address in a browser"),
  }),
  examples: ["sqa dashboard", "sqa dashboard --runs my-runs --port 8000", "sqa dashboard --models exported"],
  async run({ open, ...options }, { signal }) {
    const { runs } = options;
    const dashboard = await start(options);
    out(dashboard.url);
    note(`shows ${shownPath(runs)}; Ctrl-C ends it`);
    if (open) openBrowser(dashboard.url);
    await new Promise<void>((done) => {
      if (signal.aborted) done();
      else signal.addEventListener("abort", () => done(), { once: true });
    });
    await dashboard.close();
    return exitCode.done;
  },
});

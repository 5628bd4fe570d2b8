import * as z from "zod";
import { demo, runTable } from "../../paper/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { note, out } from "../frame/output.js";
import { jobsOption, runOptions } from "../frame/run-options.js";
import { shownPath } from "../frame/shown-path.js";
import { showTableWork, tableText } from "./paper/table-display.js";

/** `sqa demo`: the paper's case in two minutes; nothing but its runs is written. */
export const demoCommand = defineCommand({
  name: "demo",
  summary: "train with SQA and without on MNIST, attack, and show the result beside the paper's",
  description:
    "Train the paper's small network on FGSM images of MNIST, with SQA and without, attack both models, " +
    "and show the result beside the paper's. Takes about two minutes on two cores; `npm start` runs it. " +
    "The same command resumes a stopped demo, and shows the result of a finished one again.",
  options: z.strictObject({ ...runOptions, jobs: jobsOption }),
  examples: ["sqa demo"],
  async run({ runs: folder, threads, jobs }, { signal, imports }) {
    note("Training SMALL on FGSM images (epsilon 0.3) of MNIST, in full precision and with SQA.");
    const { result, runs } = await showTableWork(
      runTable(demo, {}, { runs: folder, threads, jobs, imports, signal }),
    );
    if (result?.complete !== true) return exitCode.done;
    const folders = runs.map(shownPath).sort();
    out([tableText(result), "", ...folders.map((run) => `Run folder: ${run}`)].join("\n"));
    const sqa = folders.find((run) => run.includes("-sqa-"));
    out(
      [
        "Next:",
        `  npx sqa evaluate ${sqa} --limit 1000 --attack "pgd(epsilon=0.3, restarts=10)"`,
        `  npx sqa audit ${sqa} --budget quick`,
        "  npx sqa paper table1 --model small --epochs 20 --results my-results",
        "  npx sqa --help",
      ].join("\n"),
    );
    return exitCode.done;
  },
});

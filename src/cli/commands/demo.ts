import { relative } from "node:path";
import * as z from "zod";
import { demoCells, demoNote, renderDemo } from "../../paper/index.js";
import { followExperiment } from "../experiment-progress.js";
import { defineCommand } from "../frame/command.js";
import { note, out } from "../frame/output.js";
import { runPaperCells } from "../paper-options.js";
import { jobsOption, runOptions } from "../run-options.js";

export const demoCommand = defineCommand({
  name: "demo",
  summary: "train with SQA and without on MNIST, attack, and show the result beside the paper's",
  description:
    "The main job, in about two minutes on two cores; `npm start` runs it. A finished demo shows its result again, a " +
    "stopped one goes on.",
  options: z.strictObject({ ...runOptions, jobs: jobsOption }),
  examples: ["sqa demo"],
  async run(options, { signal }) {
    note("Training SMALL on FGSM images (epsilon 0.3) of MNIST, in full precision and with SQA.");
    const cells = demoCells();
    const outcomes = await followExperiment(runPaperCells(cells, options, { signal }));
    if (outcomes.length < cells.length) return 0;
    const runs = outcomes.map(({ run }) => relative(process.cwd(), run));
    out([renderDemo(outcomes), "", demoNote, "", ...runs.map((run) => `Run folder: ${run}`)].join("\n"));
    const sqa = runs.at(-1)!;
    out(
      [
        "Next:",
        `  npx sqa evaluate ${sqa} --limit 1000 --attack "pgd(epsilon=0.3, restarts=10)"`,
        `  npx sqa audit ${sqa} --budget quick`,
        "  npx sqa paper table1 --only small --epochs 20 --results my-results",
        "  npx sqa --help",
      ].join("\n"),
    );
    return 0;
  },
});

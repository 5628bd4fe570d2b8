import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { z } from "zod";
import { demoCell, demoNote, renderDemo, runCells, type Table1Row } from "../paper/index.js";
import { defineCommand } from "./command.js";
import { followExperiment } from "./experiment-progress.js";
import { note, out } from "./output.js";

export const demoCommand = defineCommand({
  name: "demo",
  summary: "train a network with SQA on MNIST, attack it, and show the result beside the paper's",
  description:
    "The main job, in about three minutes on two cores; `npm start` runs it. A finished demo shows its result again.",
  options: z.strictObject({
    runs: z.string().default("runs").describe("folder of the run folders"),
    data: z.string().optional().describe("folder with MNIST's files"),
    threads: z.int().min(1).optional().describe("threads of one operator"),
  }),
  examples: ["sqa demo"],
  async run(options, { signal }) {
    note("Training SMALL with SQA on clean and FGSM images of MNIST (epsilon 0.3), then attacking it.");
    const [outcome] = await followExperiment(runCells([demoCell()], { ...options, signal }));
    if (outcome === undefined) return 0;
    const run = relative(process.cwd(), outcome.run);
    out(renderDemo(outcome, committedPlainRow()));
    out(`\n${demoNote}`);
    out(
      [
        "",
        `Run folder: ${run}`,
        "Next:",
        `  npx sqa evaluate ${run} --limit 1000 --attack "pgd(epsilon=0.3, restarts=10)"`,
        `  npx sqa evaluate ${run} --limit 1000 --transfer-from twin`,
        "  npx sqa paper table1 --only small --epochs 20",
        "  npx sqa --help",
      ].join("\n"),
    );
    return 0;
  },
});

/** The plain network's row of the committed Table 1; undefined where the table is not there. */
function committedPlainRow(): Table1Row | undefined {
  try {
    const table = JSON.parse(readFileSync(new URL("../../results/table1.json", import.meta.url), "utf8")) as {
      rows: Table1Row[];
    };
    return table.rows.find((row) => row.network === "small" && row.kind === "full");
  } catch {
    return undefined;
  }
}

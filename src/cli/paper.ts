import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { writeFileAtomic } from "../engine/atomic-file.js";
import { setThreads, threads, unknownName, versions } from "../engine/index.js";
import { makeFolder } from "../engine/make-folder.js";
import {
  type CellOutcome,
  figure1Cells,
  figure1Chart,
  figure1Series,
  overfittingChart,
  renderTable1,
  runCells,
  type Table1Options,
  type Table1Row,
  table1Cells,
  table1Notes,
  table1Rows,
} from "../paper/index.js";
import { saveChart } from "../report/chart.js";
import { type EpochEvent, presets, RunFolder } from "../training/index.js";
import { type CommandContext, defineCommand } from "./command.js";
import { dataOptions } from "./data-options.js";
import { followExperiment } from "./experiment-progress.js";
import { out } from "./output.js";
import { runOptions } from "./run-options.js";
import { UsageError } from "./usage-error.js";

const options = z.strictObject({
  only: z.enum(["small", "large"]).optional().describe("one network of the table"),
  preset: z
    .enum(["paper", "short"])
    .default("paper")
    .describe("recipe of table1 and overfitting: the paper's, or a few epochs"),
  epochs: z.int().min(1).optional().describe("epochs of training; the recipe's, 5 for figure1"),
  seeds: z.int().min(1).default(3).describe("seeds of each network"),
  limit: z.int().min(1).max(10_000).optional().describe("test images; all where left out"),
  strongLimit: z.int().min(1).max(10_000).default(1000).describe("test images under the attacks that the paper lacks"),
  results: z.string().default("results").describe("folder of tables and figures"),
  data: dataOptions.data,
  ...runOptions,
});
type Options = z.output<typeof options>;

/** The tables and figures by name. */
const targets: Record<string, (given: Options, context: CommandContext) => Promise<number>> = {
  table1,
  figure1,
  overfitting,
};

export const paperCommand = defineCommand({
  name: "paper",
  summary: "make a table or figure of the paper",
  description:
    "table1: accuracy of SMALL and LARGE, full precision and SQA, under white-box attacks. figure1: FGSM accuracy with one " +
    "layer quantized. overfitting: accuracy under FGSM and PGD against epochs. What is already in the run folders is not " +
    "done again, and a stopped table goes on where it was.",
  operands: [{ name: "target", description: Object.keys(targets).join(", ") }],
  options,
  examples: [
    "sqa paper table1",
    "sqa paper table1 --only small --epochs 20 --seeds 3",
    "sqa paper table1 --only small --preset short",
    "sqa paper figure1",
  ],
  async run(given, context) {
    const name = context.operands[0]!;
    const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
    if (target === undefined) throw new UsageError(unknownName("table or figure", name, Object.keys(targets)).message);
    // Evaluation as well as training, which would put the number back.
    if (given.threads !== undefined) setThreads(given.threads);
    // A folder that cannot be made is said before hours of training, not after.
    makeFolder(given.results);
    return target(given, context);
  },
});

function runnerOptions(given: Options, { signal }: CommandContext) {
  return { runs: given.runs, data: given.data, threads: given.threads, signal };
}

function table1Options(given: Options): Table1Options {
  return {
    networks: given.only === undefined ? ["small", "large"] : [given.only],
    preset: given.preset,
    epochs: given.epochs ?? presets[given.preset].epochs,
    seeds: given.seeds,
    limit: given.limit ?? null,
    strongLimit: given.strongLimit,
  };
}

function hardware(): { libtorch: string; cpuCapability: string; threads: number; node: string } {
  const { libtorch, cpuCapability } = versions();
  return { libtorch, cpuCapability, threads: threads(), node: process.version };
}

async function table1(given: Options, context: CommandContext): Promise<number> {
  const cells = table1Cells(table1Options(given));
  const outcomes = await followExperiment(runCells(cells, runnerOptions(given, context)));
  // A stopped table shows the rows that are whole.
  const whole = outcomes.length === cells.length ? outcomes : wholeRows(outcomes, given.seeds);
  if (whole.length === 0) return 0;
  const file = join(given.results, given.preset === "paper" ? "table1" : `table1-${given.preset}`);
  const rows = mergedRows(`${file}.json`, table1Rows(whole));
  const record = { rows, measuredOn: hardware() };
  writeFileAtomic(`${file}.json`, `${JSON.stringify(record, null, 2)}\n`);
  const notes = table1Notes(rows);
  const markdown = ["# Table 1: MNIST under white-box attacks", renderTable1(rows, "markdown"), ...notes].join("\n\n");
  writeFileAtomic(`${file}.md`, `${markdown}\n`);
  out([renderTable1(rows, "terminal"), "", ...notes].join("\n"));
  return 0;
}

function wholeRows(outcomes: readonly CellOutcome[], seeds: number): CellOutcome[] {
  const kind = ({ cell }: CellOutcome) => cell.name.replace(/-seed\d+$/, "");
  return outcomes.filter((outcome) => outcomes.filter((other) => kind(other) === kind(outcome)).length === seeds);
}

/** The rows now measured, and those of an earlier table that were not measured again. */
function mergedRows(path: string, rows: readonly Table1Row[]): Table1Row[] {
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { rows: Table1Row[] }).rows : [];
  const id = (row: Table1Row) => `${row.network}-${row.kind}`;
  const order = ["small-full", "small-sqa", "large-full", "large-sqa"];
  const kept = before.filter((row) => !rows.some((now) => id(now) === id(row)));
  return [...rows, ...kept].sort((a, b) => order.indexOf(id(a)) - order.indexOf(id(b)));
}

async function figure1(given: Options, context: CommandContext): Promise<number> {
  const figure = {
    epochs: given.epochs ?? 5,
    seed: 0,
    limit: given.limit ?? null,
    epsilons: [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3],
  };
  const cells = figure1Cells(figure);
  const outcomes = await followExperiment(runCells(cells, runnerOptions(given, context)));
  if (outcomes.length < cells.length) return 0;
  const series = figure1Series(outcomes, figure);
  const record = { options: figure, series, measuredOn: hardware() };
  writeFileAtomic(join(given.results, "figure1.json"), `${JSON.stringify(record, null, 2)}\n`);
  const { svg, png } = await saveChart(join(given.results, "figure1"), figure1Chart(series, figure));
  out(`${svg}\n${png}`);
  return 0;
}

async function overfitting(given: Options, context: CommandContext): Promise<number> {
  const cells = table1Cells({ ...table1Options(given), networks: [given.only ?? "small"] }).map((cell) => ({
    ...cell,
    evaluations: [],
  }));
  const outcomes = await followExperiment(runCells(cells, runnerOptions(given, context)));
  if (outcomes.length < cells.length) return 0;
  const runs = outcomes.map(({ cell, run }) => ({
    config: cell.config,
    epochs: RunFolder.open(run)
      .events()
      .filter((event): event is EpochEvent => event.type === "epoch"),
  }));
  writeFileAtomic(
    join(given.results, "overfitting.json"),
    `${JSON.stringify({ runs, measuredOn: hardware() }, null, 2)}\n`,
  );
  const { svg, png } = await saveChart(join(given.results, "overfitting"), overfittingChart(runs));
  out(`${svg}\n${png}`);
  return 0;
}

import * as z from "zod";
import { setThreads, threads, versions } from "../engine/index.js";
import { type Cell, type CellOutcome, type ExperimentEvent, inPrecision, runCellsAtOnce } from "../paper/index.js";
import { presets } from "../training/index.js";
import type { CommandContext } from "./command.js";
import { dataOptions } from "./data-options.js";
import { deviceOption, jobsOption, precisionOf, precisionOption, runOptions, shareMachine } from "./run-options.js";
import { UsageError } from "./usage-error.js";

const networkNames = ["small", "large", "resnet34", "resnet101"] as const;

/** Options of `sqa paper`. */
export const paperOptions = z.strictObject({
  only: z.enum(networkNames).optional().describe("one network of the table"),
  preset: z
    .enum(["paper", "short"])
    .default("paper")
    .describe("recipe of table1, overfitting and twin: the paper's, or a few epochs"),
  epochs: z.int().min(1).optional().describe("epochs of training; the recipe's, 5 for figure1"),
  seeds: z.int().min(1).optional().describe("seeds of each network; 3, on a CPU 1 for table2"),
  fullSeeds: z
    .int()
    .min(1)
    .optional()
    .describe("seeds in full precision, of table1, overfitting and twin; as many as --seeds"),
  limit: z.int().min(1).max(10_000).optional().describe("test images; all where left out, few for table2 on a CPU"),
  strongLimit: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("test images under the attacks that the paper lacks; 1000, fewer for table2 on a CPU"),
  results: z.string().default("results").describe("folder of tables and figures"),
  data: dataOptions.data,
  ...runOptions,
  jobs: jobsOption,
  device: deviceOption,
  // Not what is fastest here: a table's runs are the same on every machine.
  precision: precisionOption.default("float32"),
});
export type PaperOptions = z.output<typeof paperOptions>;

/** One target of `sqa paper`. */
export type PaperTarget = (given: PaperOptions, context: CommandContext) => Promise<number>;

/** Cells in the precision that is asked for. */
export function cellsAsAsked(cells: readonly Cell[], given: Pick<PaperOptions, "precision" | "device">): Cell[] {
  return inPrecision(cells, precisionOf(given.precision, given.device));
}

/** Does cells as a command's options say. */
export function runPaperCells(
  cells: readonly Cell[],
  given: Pick<PaperOptions, "runs" | "jobs" | "threads"> & Partial<Pick<PaperOptions, "data" | "device">>,
  { signal }: Pick<CommandContext, "signal">,
): AsyncIterable<ExperimentEvent> {
  const { runs, data, device = "cpu" } = given;
  const { jobs, threads } = shareMachine(cells.length, given);
  // Evaluation as well as training, which would put the number back; and `hardware` tells it.
  if (threads !== undefined) setThreads(threads);
  return runCellsAtOnce(cells, { runs, data, device, jobs, threads, signal });
}

/** How long and on what a table's networks are trained and attacked. */
export function sizesOf({ preset, epochs, seeds = 3, fullSeeds = seeds, limit, strongLimit = 1000 }: PaperOptions) {
  const trained = { preset, epochs: epochs ?? presets[preset].epochs, seeds: { full: fullSeeds, sqa: seeds } };
  return { ...trained, limit: limit ?? null, strongLimit };
}

/** The network that `--only` names, of those that a target has; undefined where it is not given. */
export function onlyOf<Name extends string>(given: PaperOptions, known: readonly Name[]): Name | undefined {
  if (given.only === undefined) return undefined;
  const found = known.find((name) => name === given.only);
  if (found === undefined)
    throw new UsageError(`option "only" cannot be ${given.only}; accepted here: ${known.join(", ")}`);
  return found;
}

/** What results were measured on. */
export function hardware(device: string) {
  const { libtorch, cpuCapability, kernels } = versions();
  return { libtorch, cpuCapability, kernels, device, threads: threads(), node: process.version };
}

/** Outcomes of the kinds all of whose cells are done: a stopped table shows the rows that are whole. */
export function wholeRows(outcomes: readonly CellOutcome[], cells: readonly Cell[]): CellOutcome[] {
  const kind = ({ name }: Cell) => name.replace(/-seed\d+$/, "");
  const done = new Set(outcomes.map(({ cell }) => cell.name));
  const unfinished = new Set(cells.filter(({ name }) => !done.has(name)).map(kind));
  return outcomes.filter(({ cell }) => !unfinished.has(kind(cell)));
}

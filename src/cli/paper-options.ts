import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import * as z from "zod";
import { setThreads, threads, versions } from "../engine/index.js";
import { parseNetwork } from "../models/index.js";
import { readBy } from "../options/read-by.js";
import {
  type Cell,
  type CellOutcome,
  type ExperimentEvent,
  inPrecision,
  type RecipeName,
  runCellsAtOnce,
} from "../paper/index.js";
import { type PresetName, presets, trainingMethods } from "../training/index.js";
import { dataOptions } from "./data-options.js";
import type { CommandContext } from "./frame/command.js";
import { UsageError } from "./frame/usage-error.js";
import { deviceOption, jobsOption, precisionOf, precisionOption, runOptions, shareMachine } from "./run-options.js";

const networkNames = ["small", "large"] as const;

/** Options of `sqa paper`. */
export const paperOptions = z.strictObject({
  only: z
    .enum(networkNames)
    .optional()
    .describe("one network of table1, overfitting and twin; the network of figure2 and figure3"),
  network: readBy("a network such as resnet18(width=16)", parseNetwork)
    .optional()
    .describe("the network of table2, table4 and speed, in place of their own"),
  method: readBy("a training method such as n-fgsm(epsilon=8/255)", (text) => trainingMethods.parse(text))
    .optional()
    .describe("the training method of speed, in place of the preset's"),
  preset: z
    .enum(Object.keys(presets) as [PresetName, ...PresetName[]])
    .optional()
    .describe("recipe: any for speed, whose default is fast; else paper, the default, or short"),
  epochs: z.int().min(1).optional().describe("epochs of training; the recipe's, 5 for figure1"),
  seeds: z.int().min(1).optional().describe("seeds of each network; 3, on a CPU 1 for table2"),
  fullSeeds: z
    .int()
    .min(1)
    .optional()
    .describe("seeds in full precision, of table1, overfitting and twin; as many as --seeds"),
  trainImages: z.int().min(1).optional().describe("training images of table2, the first ones; all where left out"),
  limit: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("test images; all where left out, few for table2 on a CPU, 500 for figure2 and figure3"),
  strongLimit: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe("test images under the attacks that the paper lacks; 1000 (speed: all), fewer for table2 on a CPU"),
  results: z.string().default("results").describe("folder of tables and figures"),
  data: dataOptions.data,
  ...runOptions,
  jobs: jobsOption,
  device: deviceOption,
  // Not what is fastest here: a table's runs are the same on every machine.
  precision: precisionOption.default("float32"),
});
export type PaperOptions = z.output<typeof paperOptions>;

/** What is done for a target of `sqa paper`. */
export type PaperWork = (given: PaperOptions, context: CommandContext) => Promise<number>;

/** Options that are not every target's. */
const ownOptions = [
  "only",
  "network",
  "method",
  "preset",
  "epochs",
  "seeds",
  "fullSeeds",
  "trainImages",
  "limit",
  "strongLimit",
  "jobs",
] as const satisfies readonly (keyof PaperOptions)[];
type OwnOption = (typeof ownOptions)[number];

/** A target of `sqa paper`, and which of the options that are not every target's it takes. */
export interface PaperTarget {
  readonly takes: readonly OwnOption[];
  readonly work: PaperWork;
}

/** Throws a UsageError for an option that a target does not take: nobody is to believe that it was heeded. */
export function checkTakes(name: string, { takes }: PaperTarget, given: PaperOptions): void {
  const ignored = ownOptions.find((option) => given[option] !== undefined && !takes.includes(option));
  if (ignored === undefined) return;
  const flag = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(
    `${name} does not take ${flag(ignored)}; of such options it takes ${takes.map(flag).join(", ")}`,
  );
}

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

/** The recipe of all targets but speed. */
export function recipeOf({ preset = "paper" }: PaperOptions): RecipeName {
  if (preset === "paper" || preset === "short") return preset;
  throw new UsageError(`option "preset" cannot be ${preset}; accepted here: paper, short`);
}

/** The recipe as a result's name has it: the paper's is not named. */
export function recipeChoice(given: PaperOptions): string | undefined {
  const recipe = recipeOf(given);
  return recipe === "paper" ? undefined : recipe;
}

/** How long and on what a table's networks are trained and attacked. */
export function sizesOf(given: PaperOptions) {
  const { epochs, seeds = 3, fullSeeds = seeds, limit, strongLimit = 1000 } = given;
  const preset = recipeOf(given);
  const trained = { preset, epochs: epochs ?? presets[preset].epochs, seeds: { full: fullSeeds, sqa: seeds } };
  return { ...trained, limit: limit ?? null, strongLimit };
}

/** What the machine's GPUs call themselves; undefined where NVIDIA's own program is not there to ask. */
function gpuModels(): string | undefined {
  const { status, stdout } = spawnSync("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"], {
    encoding: "utf8",
  });
  return status === 0 ? [...new Set(stdout.trim().split(/\s*\n\s*/))].join(", ") : undefined;
}

/** What results were measured on. */
export function hardware(device: string) {
  const { libtorch, cpuCapability, kernels } = versions();
  const model = device === "cpu" ? cpus()[0]?.model.trim() : gpuModels();
  return { libtorch, cpuCapability, kernels, device, model, threads: threads(), node: process.version };
}

/** What a reader must know of accuracies that were measured on a device. */
export function accuracyDeviceNotes(device: string): string[] {
  return device === "cpu" ? [] : ["On this device convolutions of float32 are computed in TF32."];
}

/** What a reader must know of steps that were timed on a device. */
export function timingDeviceNotes(device: string, replayed: boolean): string[] {
  if (device === "cpu") return [];
  return [replayed ? "Steps were replayed as graphs." : "Steps were made operator by operator: no graph was captured."];
}

/** The name of a result's files: with each choice that stands in place of its own, such as a network or a recipe. */
export function resultName(name: string, ...choices: readonly (string | undefined)[]): string {
  const words = choices.flatMap((choice) => choice?.replace(/[^a-z0-9.]+/g, "-").replace(/-$/, "") ?? []);
  return [name, ...words].join("-");
}

/** Outcomes of the kinds all of whose cells are done: a stopped table shows the rows that are whole. */
export function wholeRows(outcomes: readonly CellOutcome[], cells: readonly Cell[]): CellOutcome[] {
  const kind = ({ name }: Cell) => name.replace(/-seed\d+$/, "");
  const done = new Set(outcomes.map(({ cell }) => cell.name));
  const unfinished = new Set(cells.filter(({ name }) => !done.has(name)).map(kind));
  return outcomes.filter(({ cell }) => !unfinished.has(kind(cell)));
}

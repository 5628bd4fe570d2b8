import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import * as z from "zod";
import { checkKind, checkNumber, FileFormatError, firstFault } from "../../base/index.js";
import { noGrad, scope, type Tensor } from "../../engine/index.js";
import { readSealed, writeSealed } from "../../files/index.js";
import { loadState, type Module, type OptimizerRun } from "../../nn/index.js";
import type { GuardState } from "../overfitting/guard-state.js";
import { plain, toTensors } from "./weights-file.js";

/** Throws a TypeError or RangeError unless seconds can lie between two checkpoints. */
export function checkSeconds(checkpointSeconds: number): void {
  checkKind("checkpointSeconds", checkpointSeconds, "a number", typeof checkpointSeconds === "number");
  checkNumber("checkpointSeconds", checkpointSeconds, "0 or more", checkpointSeconds >= 0);
}

/** Progress of a run, beside its tensors. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Sum of the losses of the current epoch's steps so far. */
  epochLoss: number;
  /** Training time of the current epoch and of the run so far. */
  epochSeconds: number;
  seconds: number;
  /** State of a guard; undefined without one. */
  guard?: GuardState | undefined;
}

/**
 * Tensors beside the network's and the optimizer's, by the part of the checkpoint that they are, changed in
 * place.
 */
export type Copies = ReadonlyMap<string, ReadonlyMap<string, Tensor>>;

/** The copy that is the network to evaluate, where there is one. */
export const averageCopy = "average";

const metadataSchema = z.object({
  run: z.string(),
  optimizerSteps: z.coerce.number().int().min(0),
  progress: z.string().transform((text, context): Progress => {
    const checked = progressSchema.safeParse(parseJson(text));
    if (checked.success) return checked.data;
    context.addIssue("must hold step, epochLoss, epochSeconds and seconds");
    return z.NEVER;
  }),
});
const progressSchema = z.strictObject({
  step: z.int().min(0),
  epochLoss: z.number(),
  epochSeconds: z.number().min(0),
  seconds: z.number().min(0),
  guard: z
    .strictObject({
      alignment: z.number().nullable(),
      lossFell: z.number().nullable(),
      bestAlignment: z.number(),
      bestLossFell: z.number(),
      best: z.strictObject({ clean: z.number(), weak: z.number(), strong: z.number() }).nullable(),
      stepScale: z.number().positive(),
      rollBacks: z.int().min(0),
      goodStep: z.int().min(0),
      goodUpdates: z.int().min(0),
    })
    .optional(),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Parts of a run in a checkpoint, beside where it stands. */
export interface TrainingState {
  readonly module: Module;
  readonly optimizer: OptimizerRun;
  readonly copies: Copies;
}

/**
 * Writes everything that a run needs to go on: weights, optimizer state, copies of weights, and its progress.
 * The checkpoint before it is kept.
 */
export function saveCheckpoint(
  path: string,
  { module, optimizer, copies }: TrainingState,
  progress: Progress,
  run: string,
): void {
  const entries = [
    ...[...module.state()].map(([name, value]) => [`network.${name}`, plain(value)] as const),
    ...[...optimizer.state].map(([name, value]) => [`optimizer.${name}`, plain(value)] as const),
    ...[...copies].flatMap(([part, tensors]) =>
      [...tensors].map(([name, value]) => [`${part}.${name}`, plain(value)] as const),
    ),
  ];
  if (existsSync(path)) keepBefore(path);
  writeSealed(path, entries, {
    run,
    optimizerSteps: String(optimizer.steps),
    progress: JSON.stringify(progress),
  });
}

/**
 * Reads a checkpoint into a network, an optimizer and copies; undefined when there is none. Throws a
 * FileFormatError that names the file when it is damaged or of another run; then it says how to go on without
 * it.
 */
export function loadCheckpoint(path: string, state: TrainingState, run: string): Progress | undefined {
  // A process that is killed between two checkpoints leaves the one before.
  if (!existsSync(path) && existsSync(before(path))) renameSync(before(path), path);
  if (!existsSync(path)) return undefined;
  try {
    return readCheckpoint(path, state, run);
  } catch (error) {
    if (!(error instanceof FileFormatError || error instanceof RangeError)) throw error;
    const problem = error.message.startsWith(path) ? error.message : `${path}: ${error.message}`;
    throw new FileFormatError(`${problem}; ${remedy(path, state, run)}`, { cause: error });
  }
}

/** Name of the checkpoint before the last. */
const before = (path: string) => path.replace(/(\.\w+)?$/, ".before$1");

/**
 * Gives a checkpoint the name of the one before the last. Until the next is there it keeps its own name as
 * well: a reader finds one at any moment. Where a file system has no links, it finds it under the other name.
 */
function keepBefore(path: string): void {
  rmSync(before(path), { force: true });
  try {
    linkSync(path, before(path));
  } catch {
    renameSync(path, before(path));
  }
}

/** File of the last checkpoint, or of the one before where that is the only one; undefined for none. */
export function lastCheckpoint(path: string): string | undefined {
  return [path, before(path)].find((file) => existsSync(file));
}

/** Way on from a damaged checkpoint: the one before it, where that is whole. */
function remedy(path: string, state: TrainingState, run: string): string {
  const last = before(path);
  if (!existsSync(last)) return "delete the file to begin the run again";
  try {
    const { step } = readCheckpoint(last, state, run);
    return `rename ${last} to it to go on after step ${step}, or delete both to begin the run again`;
  } catch {
    return `delete it and ${last} to begin the run again`;
  }
}

/** A checkpoint's file, checked to be one of a run; its tensors are still those of the file. */
function openCheckpoint(path: string, run: string) {
  const { tensors, metadata } = readSealed(path);
  const checked = metadataSchema.safeParse(metadata);
  if (!checked.success) throw new FileFormatError(`${path}: not a checkpoint: ${firstFault(checked.error)}`);
  const { run: owner, optimizerSteps, progress } = checked.data;
  if (owner !== run) throw new FileFormatError(`${path}: this checkpoint is of run ${owner}, not ${run}`);
  const part = (prefix: string) => {
    const named = [...tensors].filter(([name]) => name.startsWith(prefix));
    return toTensors(path, new Map(named.map(([name, value]) => [name.slice(prefix.length), value])));
  };
  return { part, optimizerSteps, progress };
}

/**
 * Reads a checkpoint's weights alone, the averaged ones where it has them, into a network and returns the
 * steps behind them. Throws a FileFormatError that names the file when it is damaged or of another run.
 */
export function loadCheckpointWeights(path: string, module: Module, run: string): number {
  const { part, progress } = openCheckpoint(path, run);
  scope(() => {
    try {
      const averaged = part(`${averageCopy}.`);
      loadState(module, averaged.size > 0 ? averaged : part("network."));
    } catch (cause) {
      if (cause instanceof RangeError) throw new FileFormatError(`${path}: ${cause.message}`, { cause });
      throw cause;
    }
  });
  return progress.step;
}

function checkPart(
  path: string,
  part: string,
  own: ReadonlyMap<string, Tensor>,
  saved: ReadonlyMap<string, Tensor>,
) {
  for (const [name, { shape }] of own) {
    const value = saved.get(name);
    if (value === undefined) throw new FileFormatError(`${path}: the ${part}'s "${name}" is missing`);
    if (value.shape.join() !== shape.join()) {
      throw new FileFormatError(
        `${path}: the ${part}'s "${name}" must have shape [${shape}], not [${value.shape}]`,
      );
    }
  }
}

function readCheckpoint(path: string, { module, optimizer, copies }: TrainingState, run: string): Progress {
  const { part, optimizerSteps, progress } = openCheckpoint(path, run);
  scope(() => {
    const others = [["optimizer", optimizer.state] as const, ...copies].map(([name, tensors]) => {
      const saved = part(`${name}.`);
      checkPart(path, name, tensors, saved);
      return { tensors, saved };
    });
    loadState(module, part("network."));
    noGrad(() => {
      for (const { tensors, saved } of others) for (const [name, own] of tensors) own.copy_(saved.get(name)!);
    });
  });
  optimizer.steps = optimizerSteps;
  return progress;
}

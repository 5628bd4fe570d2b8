import { existsSync } from "node:fs";
import * as z from "zod";
import { checkKind, FileFormatError } from "../../base/index.js";
import { noGrad, scope, type Tensor, tensor } from "../../engine/index.js";
import { readSafetensors, type SafetensorsTensor, writeSafetensors } from "../../files/index.js";
import { loadState, Module, type Optimizer } from "../../nn/index.js";
import type { GuardState } from "../overfitting/guard.js";

/** Where a run stands beside its tensors. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Sum of the losses of the current epoch's steps so far. */
  epochLoss: number;
  /** Training time of the current epoch and of the run so far. */
  epochSeconds: number;
  seconds: number;
  /** What a guard knows; undefined without one. */
  guard?: GuardState | undefined;
}

/** Tensors beside the network's and the optimizer's, by the part of the checkpoint that they are, changed in place. */
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

function plain(value: Tensor): SafetensorsTensor {
  if (value.dtype !== "float32") throw new TypeError(`weights must be float32, not ${value.dtype}`);
  return { dtype: "float32", shape: [...value.shape], data: value.toArray() as Float32Array };
}

function checkWeightsFile(path: string, module: Module): void {
  checkKind("path", path, "the path of a file of weights", typeof path === "string");
  checkKind("module", module, "a Module, such as small.build({ seed: 0 }).module", module instanceof Module);
}

/** Writes a network's weights: float32, PyTorch's names and layouts. */
export function saveWeights(path: string, module: Module, metadata: Record<string, string> = {}): void {
  checkWeightsFile(path, module);
  writeSafetensors(
    path,
    [...module.state()].map(([name, value]) => [name, plain(value)] as const),
    metadata,
  );
}

function toTensors(path: string, tensors: ReadonlyMap<string, SafetensorsTensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      if (dtype !== "float32") throw new FileFormatError(`${path}: tensor "${name}" must be float32, not ${dtype}`);
      return [name, tensor(data, shape)];
    }),
  );
}

/** A tensor of a file of weights; bfloat16 becomes the float32 of the same value. */
function widened(value: SafetensorsTensor): SafetensorsTensor {
  if (value.dtype !== "bfloat16") return value;
  const data = new Float32Array(Uint32Array.from(value.data, (bits) => bits << 16).buffer);
  return { dtype: "float32", shape: value.shape, data };
}

/** Reads weights, float32 or bfloat16, into a network; throws a FileFormatError when a name or a shape does not fit. */
export function loadWeights(path: string, module: Module): void {
  checkWeightsFile(path, module);
  const { tensors: stored } = readSafetensors(path);
  const tensors = new Map([...stored].map(([name, value]) => [name, widened(value)]));
  // PyTorch's batch normalization counts its batches; nothing here depends on the count.
  for (const name of tensors.keys()) if (name.endsWith("num_batches_tracked")) tensors.delete(name);
  scope(() => {
    try {
      loadState(module, toTensors(path, tensors));
    } catch (error) {
      if (error instanceof RangeError) throw new FileFormatError(`${path}: ${error.message}`, { cause: error });
      throw error;
    }
  });
}

/** What a checkpoint holds of a run beside where it stands. */
export interface TrainingState {
  readonly module: Module;
  readonly optimizer: Optimizer;
  readonly copies: Copies;
}

/** Writes everything that a run needs to go on: weights, optimizer state, copies of weights, and where it stands. */
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
  writeSafetensors(path, entries, { run, optimizerSteps: String(optimizer.steps), progress: JSON.stringify(progress) });
}

/**
 * Reads a checkpoint into a network, an optimizer and copies; undefined when there is none. Throws a FileFormatError that names the
 * file when it is damaged or of another run; then it says how to go on without it.
 */
export function loadCheckpoint(path: string, state: TrainingState, run: string): Progress | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readCheckpoint(path, state, run);
  } catch (error) {
    if (!(error instanceof FileFormatError || error instanceof RangeError)) throw error;
    const problem = error.message.startsWith(path) ? error.message : `${path}: ${error.message}`;
    throw new FileFormatError(`${problem}; delete the file to begin the run again`, { cause: error });
  }
}

/** A checkpoint's file, checked to be one of a run; its tensors are still those of the file. */
function openCheckpoint(path: string, run: string) {
  const { tensors, metadata } = readSafetensors(path);
  const checked = metadataSchema.safeParse(metadata);
  if (!checked.success) throw new FileFormatError(`${path}: not a checkpoint: ${checked.error.issues[0]!.message}`);
  const { run: owner, optimizerSteps, progress } = checked.data;
  if (owner !== run) throw new FileFormatError(`${path}: this checkpoint is of run ${owner}, not ${run}`);
  const part = (prefix: string) => {
    const named = [...tensors].filter(([name]) => name.startsWith(prefix));
    return toTensors(path, new Map(named.map(([name, value]) => [name.slice(prefix.length), value])));
  };
  return { part, optimizerSteps, progress };
}

/**
 * Reads a checkpoint's weights alone, the averaged ones where it has them, into a network and returns the steps behind
 * them. Throws a FileFormatError that names the file when it is damaged or of another run.
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

function checkPart(path: string, part: string, own: ReadonlyMap<string, Tensor>, saved: ReadonlyMap<string, Tensor>) {
  for (const [name, { shape }] of own) {
    const value = saved.get(name);
    if (value === undefined) throw new FileFormatError(`${path}: the ${part}'s "${name}" is missing`);
    if (value.shape.join() !== shape.join()) {
      throw new FileFormatError(`${path}: the ${part}'s "${name}" must have shape [${shape}], not [${value.shape}]`);
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

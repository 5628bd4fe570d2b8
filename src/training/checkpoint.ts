import { existsSync } from "node:fs";
import { FileFormatError, scope, type Tensor, tensor } from "../engine/index.js";
import { readSafetensors, type SafetensorsTensor, writeSafetensors } from "../engine/safetensors.js";
import { loadState, type Module, type Optimizer } from "../nn/index.js";

/** Where a run stands beside its tensors. */
export interface Progress {
  /** Steps done. */
  step: number;
  /** Sum of the losses of the current epoch's steps so far. */
  epochLoss: number;
  /** Training time of the current epoch and of the run so far. */
  epochSeconds: number;
  seconds: number;
}

function plain(value: Tensor): SafetensorsTensor {
  if (value.dtype !== "float32") throw new TypeError(`weights must be float32, not ${value.dtype}`);
  return { dtype: "float32", shape: [...value.shape], data: value.toArray() as Float32Array };
}

/** Writes a network's weights: float32, PyTorch's names and layouts. */
export function saveWeights(path: string, module: Module, metadata: Record<string, string> = {}): void {
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

/** Reads weights into a network; throws when a name or a shape does not fit. */
export function loadWeights(path: string, module: Module): void {
  const { tensors } = readSafetensors(path);
  scope(() => {
    try {
      loadState(module, toTensors(path, tensors));
    } catch (error) {
      if (error instanceof RangeError) throw new RangeError(`${path}: ${error.message}`);
      throw error;
    }
  });
}

/** Writes everything that a run needs to go on: weights, optimizer state, and where it stands. */
export function saveCheckpoint(
  path: string,
  module: Module,
  optimizer: Optimizer,
  progress: Progress,
  run: string,
): void {
  const entries = [
    ...[...module.state()].map(([name, value]) => [`network.${name}`, plain(value)] as const),
    ...[...optimizer.state].map(([name, value]) => [`optimizer.${name}`, plain(value)] as const),
  ];
  writeSafetensors(path, entries, { run, optimizerSteps: String(optimizer.steps), progress: JSON.stringify(progress) });
}

/** Reads a checkpoint into a network and an optimizer; undefined when there is none. */
export function loadCheckpoint(path: string, module: Module, optimizer: Optimizer, run: string): Progress | undefined {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = readSafetensors(path);
  if (metadata.run !== run) throw new FileFormatError(`${path}: this checkpoint is of run ${metadata.run}, not ${run}`);
  scope(() => {
    const all = toTensors(path, tensors);
    const part = (prefix: string) =>
      new Map(
        [...all].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
      );
    loadState(module, part("network."));
    const saved = part("optimizer.");
    for (const [name, own] of optimizer.state) {
      const value = saved.get(name);
      if (value === undefined) throw new FileFormatError(`${path}: the optimizer's "${name}" is missing`);
      own.copy_(value);
    }
  });
  optimizer.steps = Number(metadata.optimizerSteps);
  return JSON.parse(metadata.progress ?? "{}") as Progress;
}

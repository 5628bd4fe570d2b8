import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkKind, FileFormatError, isObject } from "../base/index.js";
import { scope } from "../engine/index.js";
import { type Model, parseNetwork, type QuantizationOptions } from "../models/index.js";
import type { Module } from "../nn/index.js";
import { loadCheckpointWeights, loadWeights, RunFolder, type TrainConfig } from "../training/index.js";

/** What a file of weights does not tell of its network. */
export interface NetworkOptions {
  /** Its name, and options where it has some: `resnet18(classes=100)`. */
  readonly network: string;
  /** Where SQA stands; undefined for none. */
  readonly sqa?: QuantizationOptions | undefined;
}

/** A network with its weights, and the run that it comes from, if any. */
export interface OpenedNetwork {
  readonly model: Model;
  readonly run?: {
    readonly path: string;
    readonly config: TrainConfig;
    readonly finished: boolean;
    /** Training steps behind the weights; undefined for a finished run. */
    readonly steps?: number;
  };
}

function checkFile(path: string): void {
  checkKind("path", path, "the path of a file of weights", typeof path === "string");
  if (!existsSync(path)) throw new Error(`weights file ${path} does not exist`);
  if (!statSync(path).isDirectory()) return;
  const hint = existsSync(join(path, "config.json")) ? "; it is a run folder: give it without --weights" : "";
  throw new Error(`weights file ${path} is a folder${hint}`);
}

/** Weights that are no numbers give answers that look like some; nobody may measure them unknowingly. */
function checkFinite(path: string, module: Module): void {
  for (const [name, value] of module.state()) {
    if (scope(() => value.detach().isfinite().all().item()) === 1) continue;
    throw new FileFormatError(`${path}: weight "${name}" holds NaN or infinity: the network is broken`);
  }
}

/** A network with weights out of a safetensors file. Errors name the file, and the weight that does not fit. */
export function networkFromWeights(path: string, options: NetworkOptions): OpenedNetwork {
  checkFile(path);
  const named = isObject(options) && typeof options.network === "string";
  checkKind("options", options, 'an object such as { network: "small" }', named);
  const model = parseNetwork(options.network).build({ seed: 0, sqa: options.sqa });
  loadWeights(path, model.module);
  checkFinite(path, model.module);
  return { model };
}

/**
 * The network of a run folder, as its config says; `sqa` puts another quantization in its place, null none. Of an unfinished
 * run it is that of the last checkpoint. Throws an Error when there is none, or when the folder holds no run.
 */
export function networkFromRun(
  path: string,
  options: { sqa?: QuantizationOptions | null | undefined } = {},
): OpenedNetwork {
  checkKind("path", path, "the path of a run folder", typeof path === "string");
  if (!existsSync(path)) throw new Error(`run folder ${path} does not exist`);
  const folder = RunFolder.open(path);
  const { config } = folder;
  const sqa = (options.sqa === undefined ? config.sqa : options.sqa) ?? undefined;
  const model = parseNetwork(config.network).build({ seed: config.seed, sqa });
  const finished = folder.result !== undefined;
  if (finished) {
    loadWeights(folder.weights, model.module);
    checkFinite(folder.weights, model.module);
    return { model, run: { path: folder.path, config, finished } };
  }
  if (!existsSync(folder.checkpoint)) throw new Error(`run ${path} has not reached its first checkpoint yet`);
  const steps = loadCheckpointWeights(folder.checkpoint, model.module, folder.identity);
  checkFinite(folder.checkpoint, model.module);
  return { model, run: { path: folder.path, config, finished, steps } };
}

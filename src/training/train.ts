import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { checkFolder, checkKind, checkOptionNames, isObject, type Steps, Work } from "../base/index.js";
import { contentHash, prepareImages, subset } from "../datasets/index.js";
import {
  alone,
  checkDevice,
  threads as currentThreads,
  type Ranks,
  setThreads,
  versions,
} from "../engine/index.js";
import type { Model } from "../models/index.js";
import { configHash, type TrainConfig, trainConfig } from "./config.js";
import type { TrainConfigInput } from "./config-input.js";
import type { TrainEvent, TrainResult } from "./events.js";
import { checkSeconds, lastCheckpoint } from "./run/checkpoint.js";
import { modelFromRun } from "./run/open-model.js";
import { type RunEnvironment, RunFolder } from "./run/run-folder.js";
import { alikeOnRanks, checkSameFacts } from "./run/same-on-ranks.js";
import { noSources, openSources } from "./run/sources.js";
import { runSteps } from "./run-steps.js";
import { TrainingSession } from "./session.js";

/**
 * Manner in which a run is carried out: of its weights only the last bits depend on the device and the
 * threads.
 */
export interface TrainOptions {
  /**
   * Device that computes: `cpu` (the default), `cuda` or `cuda:N`; RangeError for a device that is not there.
   */
  readonly device?: string | undefined;
  /** Folder of run folders; "runs" by default. */
  readonly runs?: string;
  /** Aborting stops the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Threads of an operator; libtorch's own choice by default. */
  readonly threads?: number | undefined;
  /** Seconds between two checkpoints within an epoch, 30 by default; 0 writes one after every step. */
  readonly checkpointSeconds?: number;
  /** Writes TensorBoard's event files into `tb`, in the run folder; true by default. */
  readonly tensorboard?: boolean;
  /**
   * Processes that share each batch, as `joinRanks` returns them; this process alone where left out. All of
   * them call `train` alike. The first one reads and writes the run folder.
   */
  readonly ranks?: Ranks;
}

/** Finished run. */
export interface TrainedRun {
  /** Model with its weights, on the CPU; opened when it is first asked for. */
  readonly model: Model;
  /** Run folder. */
  readonly folder: string;
  /** File of the weights, in safetensors. */
  readonly weights: string;
  readonly result: TrainResult;
}

/** Options of `train`, which say how a run is made, not what is trained. */
const optionNames = ["runs", "device", "threads", "checkpointSeconds", "signal", "tensorboard", "ranks"];

/**
 * Trains a model: awaited it gives the finished run, watched its events.
 *
 * The same configuration gives the same weights, bit for bit, on the same machine's CPU and number of
 * threads, also where the run was stopped or killed: called again, it goes on from its checkpoint, and a
 * finished run is not repeated.
 *
 * @throws RangeError or TypeError for a wrong configuration, before anything runs
 * @throws FileFormatError that names a damaged file of the run; Error when another process works on the same
 *   run, when the images are not those that it began with, or when the loss is no longer finite
 * @example
 * const method = fgsm({ epsilon: 0.3 });
 * const { model } = await train({ model: small(), data: mnist(), defenses: [sqa()], method });
 */
export function train(config: TrainConfigInput, options: TrainOptions = {}): Work<TrainEvent, TrainedRun> {
  checkKind("options", options, "an object", isObject(options));
  checkOptionNames(options, optionNames);
  const misplaced = Object.keys(isObject(config) ? config : {}).find((name) => optionNames.includes(name));
  if (misplaced !== undefined) {
    throw new TypeError(
      `"${misplaced}" is no part of a configuration: give it as train(config, { ${misplaced} })`,
    );
  }
  const { runs = "runs", checkpointSeconds = 30, tensorboard = true, ranks = alone } = options;
  const device = checkDevice(options.device ?? "cpu");
  checkSeconds(checkpointSeconds);
  checkKind("tensorboard", tensorboard, "true or false", typeof tensorboard === "boolean");
  checkKind("ranks", ranks, "what joinRanks returns", isObject(ranks) && "fromFirst" in ranks);
  checkFolder("runs", runs);
  const checked = trainConfig(config);
  const manner = { runs, device, checkpointSeconds, tensorboard, ranks, threads: options.threads };
  const plan = { config: checked, ...manner };
  return new Work((signal) => steps(plan, signal), options.signal);
}

interface Plan extends Required<Pick<TrainOptions, "runs" | "checkpointSeconds" | "tensorboard" | "ranks">> {
  readonly config: TrainConfig;
  readonly device: string;
  readonly threads: number | undefined;
}

async function* steps(plan: Plan, signal: AbortSignal): Steps<TrainEvent, TrainedRun> {
  const { config, runs, device, checkpointSeconds, threads, tensorboard, ranks } = plan;
  const folder = RunFolder.for(config, runs);
  const { path, weights } = folder;
  checkSameFacts(ranks, () => ({
    configuration: configHash(config),
    images: contentHash(config.data.train),
    device: device.split(":")[0]!,
  }));
  const environment = () => environmentOf(config, device, ranks);
  const { result, fault } = ranks.fromFirst(() => endOf(folder));
  if (result !== undefined && fault === undefined) {
    ranks.fromFirst(() => {
      if (existsSync(folder.file("environment.json"))) refuseOthers(folder, environment());
    });
    yield { type: "end", run: path, weights, result };
    return trainedRun(folder, config, result);
  }
  const threadsBefore = currentThreads();
  let session: TrainingSession | undefined;
  let sources = noSources;
  let lock: Disposable | undefined;
  try {
    if (threads !== undefined) setThreads(threads);
    if (ranks.any(!(await isPrepared(config, signal)))) {
      ranks.endTogether();
      return undefined;
    }
    // What does not fit together fails here, before a folder is made.
    const opened = await openSources(config, device);
    sources = opened;
    // A run that goes on has its weights in its checkpoint: the file that it began with may be gone.
    const goesOn = ranks.fromFirst(() => lastCheckpoint(folder.checkpoint) !== undefined);
    const begun = goesOn ? { ...config, initialWeights: null } : config;
    session = alikeOnRanks(ranks, () => new TrainingSession(begun, device, ranks, opened.classifiers));
    ranks.useDevice(device);
    const changes = ranks.fromFirst(() => {
      folder.make();
      lock = folder.lock();
      return environmentChanges(folder, { ...environment(), ...sources.facts });
    });
    for (const message of changes) yield { type: "warning", message };
    if (fault !== undefined) {
      yield { type: "warning", message: `${fault}: they are written anew from the checkpoint` };
    }
    const result = yield* runSteps(session, folder, { signal, checkpointSeconds, tensorboard, turn });
    return result === undefined ? undefined : trainedRun(folder, config, result);
  } finally {
    lock?.[Symbol.dispose]();
    session?.dispose();
    sources[Symbol.dispose]();
    setThreads(threadsBefore);
  }
}

/** Result of a finished run, and a fault of its weights that its checkpoint can mend. */
function endOf(folder: RunFolder): { result: TrainResult | undefined; fault: string | undefined } {
  const { result } = folder;
  if (result === undefined) return { result, fault: undefined };
  // Without a checkpoint they cannot be made anew: an error says so.
  if (!existsSync(folder.checkpoint)) folder.checkWeights(result);
  return { result, fault: folder.weightsFault(result) };
}

/**
 * Decodes training images that lie in files, since the first epoch asks for each of them; false where it was
 * stopped.
 */
async function isPrepared({ data: { train: split }, limit }: TrainConfig, signal: AbortSignal) {
  try {
    const used = limit === null ? split : subset(split, Math.min(limit, split.count));
    await prepareImages(used, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

function trainedRun({ path, weights }: RunFolder, config: TrainConfig, result: TrainResult): TrainedRun {
  let model: Model | undefined;
  return {
    get model() {
      model ??= modelFromRun(path, config).model;
      return model;
    },
    folder: path,
    weights,
    result,
  };
}

function environmentOf(
  { data: { train: split } }: TrainConfig,
  device: string,
  { size }: Ranks,
): RunEnvironment {
  const { libtorch, cpuCapability, kernels } = versions();
  const threads = currentThreads();
  const ranks = size > 1 ? { ranks: size } : {};
  return { libtorch, cpuCapability, kernels, device, threads, ...ranks, data: contentHash(split) };
}

/** Environment that a run began in; an Error when its images, or the models it learns from, were others. */
function refuseOthers(folder: RunFolder, now: RunEnvironment): RunEnvironment {
  const first = folder.environment(now);
  const compared = [
    ["training images", now.data, first.data],
    ["method's sources", now.sources, first.sources],
  ] as const;
  for (const [what, given, begun = ""] of compared) {
    if (given === undefined || given === begun) continue;
    const hashes = `SHA-256 ${given.slice(0, 8)}, not ${begun.slice(0, 8)}`;
    throw new Error(
      `the ${what} are not those that run ${folder.path} began with (${hashes}): give those, or ` +
        "another folder for runs",
    );
  }
  return first;
}

/** Differences between the environment that a run began in and the one that it goes on in, in words. */
function environmentChanges(folder: RunFolder, now: RunEnvironment): string[] {
  const first = refuseOthers(folder, now);
  const names = [
    ["device", "device"],
    ["threads", "number of threads"],
    ["ranks", "number of ranks"],
    ["libtorch", "libtorch"],
    ["cpuCapability", "CPU capability"],
    ["kernels", "kernels"],
  ] as const;
  const stated = (environment: RunEnvironment, key: (typeof names)[number][0]) => environment[key] ?? 1;
  return names.flatMap(([key, name]) => {
    const [before, after] = [stated(first, key), stated(now, key)];
    if (before === after) return [];
    const change = `the run began with ${name} ${before} and goes on with ${after}`;
    return [`${change}: the last bits of its weights may differ`];
  });
}

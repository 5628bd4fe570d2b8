import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { checkKind, isObject } from "../base/index.js";
import { type Dataset, datasetByName } from "../datasets/index.js";
import { checkDevice, threads as currentThreads, setThreads, versions } from "../engine/index.js";
import { type TrainConfig, type TrainConfigInput, trainConfig } from "./config.js";
import type { TrainEvent } from "./events.js";
import { type RunEnvironment, RunFolder } from "./run/run-folder.js";
import { TrainingSession } from "./session.js";
import { trainSteps } from "./train-steps.js";

/** How a run is carried out: nothing here changes its weights but the device and the number of threads, in the last bits. */
export interface TrainOptions {
  /** Where it computes: `cpu` (where left out), `cuda` or `cuda:N`; RangeError for one that is not there. */
  device?: string;
  /** Where run folders lie. */
  runs?: string;
  /** The folder of the data set's files; its own default where left out. */
  data?: string | undefined;
  /** False takes files other than the data set's official ones. */
  checksums?: boolean;
  /** Aborting stops the run after the current step, with a checkpoint. */
  signal?: AbortSignal;
  threads?: number | undefined;
  /** Seconds between two checkpoints within an epoch; 0 writes one after every step. */
  checkpointSeconds?: number;
}

/**
 * Trains a network and yields what happens. The same configuration gives the same weights, bit for bit, on one machine's CPU
 * and number of threads, whether or not the run was killed: called again, it goes on from its checkpoint, and a finished
 * run is not repeated.
 *
 * To stop it, abort the signal: leaving the loop by `break` loses the steps since the last checkpoint. Throws a RangeError
 * for a wrong configuration, a FileFormatError that names a damaged file of the run, and an Error when another process
 * works on the same run, when the images are not those the run began with, or when the loss is no longer finite.
 */
export async function* train(config: TrainConfigInput, options: TrainOptions = {}): AsyncGenerator<TrainEvent, void> {
  checkKind("options", options, "an object", isObject(options));
  const { runs = "runs", signal, checkpointSeconds = 30 } = options;
  const device = checkDevice(options.device ?? "cpu");
  if (!(checkpointSeconds >= 0)) throw new RangeError(`checkpointSeconds must be >= 0, not ${checkpointSeconds}`);
  checkKind("runs", runs, "the path of a folder", typeof runs === "string");
  checkKind("signal", signal, "an AbortSignal", signal === undefined || signal instanceof AbortSignal);
  const checked = trainConfig(config);
  const dataset = loadDataset(checked, options);
  const folder = RunFolder.for(checked, runs);
  if (folder.result !== undefined) {
    if (existsSync(folder.file("environment.json"))) refuseOtherImages(folder, environmentOf(dataset, device));
    yield { type: "end", run: folder.path, weights: folder.weights, result: folder.result };
    return;
  }
  const threadsBefore = currentThreads();
  let session: TrainingSession | undefined;
  try {
    if (options.threads !== undefined) setThreads(options.threads);
    // What does not fit together fails here, before a folder is made.
    session = new TrainingSession(checked, dataset, device);
    folder.make();
    using _lock = folder.lock();
    yield* compareEnvironment(folder, environmentOf(dataset, device));
    yield* trainSteps(session, folder, { signal, checkpointSeconds, turn });
  } finally {
    session?.dispose();
    setThreads(threadsBefore);
  }
}

/** Options that were not given are left out, so that a data set need not have them. */
function loadDataset({ dataset }: TrainConfig, { data, checksums = true }: TrainOptions): Dataset {
  return datasetByName(dataset).load({
    ...(data === undefined ? {} : { folder: data }),
    ...(checksums ? {} : { checksums }),
  });
}

function environmentOf({ train: split }: Dataset, device: string): RunEnvironment {
  const { libtorch, cpuCapability, kernels } = versions();
  const data = createHash("sha256").update(split.images).update(split.labels).digest("hex");
  return { libtorch, cpuCapability, kernels, device, threads: currentThreads(), data };
}

/** The environment that a run began with; an Error when its images were others. */
function refuseOtherImages(folder: RunFolder, now: RunEnvironment): RunEnvironment {
  const first = folder.environment(now);
  if (first.data === now.data) return first;
  throw new Error(
    `the training images are not those that run ${folder.path} began with (SHA-256 ${now.data.slice(0, 8)}, not ` +
      `${first.data.slice(0, 8)}): give their folder, or another folder for runs`,
  );
}

function* compareEnvironment(folder: RunFolder, now: RunEnvironment): Generator<TrainEvent> {
  const first = refuseOtherImages(folder, now);
  for (const [key, name] of [
    ["device", "device"],
    ["threads", "number of threads"],
    ["libtorch", "libtorch"],
    ["cpuCapability", "CPU capability"],
    ["kernels", "kernels"],
  ] as const) {
    if (first[key] === now[key]) continue;
    const message = `the run began with ${name} ${first[key]} and goes on with ${now[key]}: the last bits of its weights may differ`;
    yield { type: "warning", message };
  }
}

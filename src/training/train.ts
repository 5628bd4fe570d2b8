import { setImmediate as turn } from "node:timers/promises";
import { datasetByName } from "../datasets/index.js";
import { threads as currentThreads, setThreads, versions } from "../engine/index.js";
import { parameterCount } from "../nn/index.js";
import { epochAlarms } from "./alarm.js";
import { loadCheckpoint, type Progress, saveCheckpoint, saveWeights } from "./checkpoint.js";
import type { TrainConfig } from "./config.js";
import type { EpochEvent, TrainEvent, TrainResult } from "./events.js";
import { RunFolder } from "./run-folder.js";
import { TrainingSession } from "./session.js";

/** How a run is carried out: nothing here changes its weights but the number of threads, in the last bits. */
export interface TrainOptions {
  /** Where run folders lie. */
  runs?: string;
  /** The folder of the data set's files; its own default where left out. */
  data?: string | undefined;
  /** Aborting stops the run after the current step, with a checkpoint. */
  signal?: AbortSignal;
  threads?: number | undefined;
  /** Seconds between two checkpoints within an epoch. */
  checkpointSeconds?: number;
}

type Alarm = Extract<TrainEvent, { type: "alarm" }>;

/**
 * Trains a network and yields what happens. The same configuration gives the same weights, bit for bit, on one machine
 * and number of threads, whether or not the run was killed: called again, it goes on from its checkpoint, and a finished
 * run is not repeated.
 */
export async function* train(config: TrainConfig, options: TrainOptions = {}): AsyncGenerator<TrainEvent, void> {
  const { runs = "runs", signal, checkpointSeconds = 30 } = options;
  const folder = RunFolder.for(config, runs);
  if (folder.result !== undefined) {
    yield { type: "end", run: folder.path, weights: folder.weights, result: folder.result };
    return;
  }
  if (options.threads !== undefined) setThreads(options.threads);
  const session = new TrainingSession(config, datasetByName(config.dataset).load({ folder: options.data }));
  try {
    yield* run(session, folder, config, { signal, checkpointSeconds });
  } finally {
    session.dispose();
  }
}

async function* run(
  session: TrainingSession,
  folder: RunFolder,
  config: TrainConfig,
  options: { signal: AbortSignal | undefined; checkpointSeconds: number },
): AsyncGenerator<TrainEvent, void> {
  const { module } = session.model;
  const { stepsPerEpoch, totalSteps } = session;
  const progress: Progress = loadCheckpoint(folder.checkpoint, module, session.optimizer, folder.identity) ?? {
    step: 0,
    epochLoss: 0,
    epochSeconds: 0,
    seconds: 0,
  };
  const logged = folder.rewindEvents(progress.step);
  const epochs = logged.filter((event): event is EpochEvent => event.type === "epoch");
  const alarms = logged.filter((event): event is Alarm => event.type === "alarm");
  const raise = (kind: Alarm["kind"], message: string): Alarm => {
    const epoch = Math.ceil(progress.step / stepsPerEpoch);
    const alarm: Alarm = { type: "alarm", kind, epoch, step: progress.step, message };
    alarms.push(alarm);
    folder.log(alarm);
    return alarm;
  };
  const save = (): TrainEvent => {
    saveCheckpoint(folder.checkpoint, module, session.optimizer, progress, folder.identity);
    return { type: "checkpoint", step: progress.step, path: folder.checkpoint };
  };
  yield {
    type: "start",
    run: folder.path,
    epochs: config.epochs,
    stepsPerEpoch,
    step: progress.step,
    parameters: parameterCount(module),
  };
  let lastSave = performance.now();
  let zeroGradientSeen = false;
  // Every epoch ends with its event and then a checkpoint; a run killed between the two does the probe again.
  while (progress.step < totalSteps) {
    const began = performance.now();
    const epoch = Math.floor(progress.step / stepsPerEpoch) + 1;
    const learningRate = session.learningRate(progress.step);
    const { loss, zeroGradient } = session.step(progress.step);
    if (!Number.isFinite(loss)) {
      yield raise("loss-not-finite", `the loss is ${loss} at step ${progress.step}: lower the learning rate`);
      throw new Error(
        `training stopped: the loss is ${loss} at step ${progress.step}; ${folder.path} keeps the last checkpoint`,
      );
    }
    const seconds = (performance.now() - began) / 1000;
    progress.step++;
    progress.epochLoss += loss;
    progress.epochSeconds += seconds;
    progress.seconds += seconds;
    yield { type: "step", epoch, step: progress.step, loss, learningRate };
    if (zeroGradient && !zeroGradientSeen) {
      zeroGradientSeen = true;
      yield raise("zero-gradient", `every gradient is zero at step ${progress.step}: nothing is learned any more`);
    }
    const epochEnds = progress.step % stepsPerEpoch === 0;
    if (epochEnds) {
      const event: EpochEvent = {
        type: "epoch",
        epoch,
        step: progress.step,
        loss: progress.epochLoss / stepsPerEpoch,
        ...session.probe(epoch),
        seconds: progress.epochSeconds,
        secondsPerStep: progress.epochSeconds / stepsPerEpoch,
      };
      epochs.push(event);
      folder.log(event);
      yield event;
      for (const { kind, message } of epochAlarms(epochs)) yield raise(kind, message);
      progress.epochLoss = 0;
      progress.epochSeconds = 0;
    }
    if (epochEnds || performance.now() - lastSave > 1000 * options.checkpointSeconds || options.signal?.aborted) {
      yield save();
      lastSave = performance.now();
    }
    // Timers and signals get their turn only between steps.
    if (progress.step % 8 === 0 || epochEnds) await turn();
    if (options.signal?.aborted && progress.step < totalSteps) {
      yield save();
      yield { type: "stopped", step: progress.step };
      return;
    }
  }
  saveWeights(folder.weights, module, { run: folder.identity, network: config.network });
  const result: TrainResult = {
    epochs: config.epochs,
    steps: totalSteps,
    last: epochs.at(-1)!,
    alarms,
    seconds: progress.seconds,
    libtorch: versions().libtorch,
    threads: currentThreads(),
  };
  folder.finish(result);
  yield { type: "end", run: folder.path, weights: folder.weights, result };
}

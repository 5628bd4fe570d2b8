import { FileFormatError, threads, versions } from "../engine/index.js";
import { parameterCount } from "../nn/index.js";
import { newAlarms } from "./alarm.js";
import { loadCheckpoint, type Progress, saveCheckpoint, saveWeights } from "./checkpoint.js";
import type { AlarmEvent, AlarmKind, EpochEvent, TrainEvent, TrainResult } from "./events.js";
import type { RunFolder } from "./run-folder.js";
import type { TrainingSession } from "./session.js";

/** What the steps of a run need to know beside the run itself. */
export interface StepOptions {
  readonly signal: AbortSignal | undefined;
  readonly checkpointSeconds: number;
  /** Gives timers and signals their turn, once after each step. */
  turn(): Promise<unknown>;
}

/** Where a run stands: restored from its folder, and what it has to say of its past. */
class Standing {
  readonly progress: Progress;
  readonly epochs: EpochEvent[];
  readonly alarms: AlarmEvent[];

  constructor(
    readonly session: TrainingSession,
    readonly folder: RunFolder,
  ) {
    const { stepsPerEpoch, totalSteps, optimizer, model } = session;
    const saved = loadCheckpoint(folder.checkpoint, model.module, optimizer, folder.identity);
    this.progress = saved ?? { step: 0, epochLoss: 0, epochSeconds: 0, seconds: 0 };
    const { step } = this.progress;
    if (step > totalSteps) throw new FileFormatError(`${folder.checkpoint}: is at step ${step} of ${totalSteps}`);
    const logged = folder.rewindEvents(step);
    this.epochs = logged.filter((event): event is EpochEvent => event.type === "epoch");
    this.alarms = logged.filter((event): event is AlarmEvent => event.type === "alarm");
    const past = Math.floor(step / stepsPerEpoch);
    if (this.epochs.length !== past) {
      throw new FileFormatError(
        `${folder.file("events.jsonl")}: tells of ${this.epochs.length} epochs, but the checkpoint is past ${past}; ` +
          `delete ${folder.path} to begin the run again`,
      );
    }
  }

  save(): TrainEvent {
    const { session, folder, progress } = this;
    saveCheckpoint(folder.checkpoint, session.model.module, session.optimizer, progress, folder.identity);
    return { type: "checkpoint", step: progress.step, path: folder.checkpoint };
  }

  raise(kind: AlarmKind, step: number, message: string): AlarmEvent {
    const epoch = Math.ceil(step / this.session.stepsPerEpoch);
    const alarm: AlarmEvent = { type: "alarm", kind, epoch, step, message };
    this.alarms.push(alarm);
    this.folder.log(alarm);
    return alarm;
  }

  /** The alarm of a run that cannot go on, then its end. */
  *fail(step: number, what: string): Generator<TrainEvent, never> {
    yield this.raise("loss-not-finite", step, `${what} after step ${step}: lower the learning rate`);
    throw new Error(
      `training stopped: ${what} after step ${step}, and would be again: lower the learning rate ` +
        `(${this.folder.path} keeps the last checkpoint)`,
    );
  }
}

/** The steps of a run from where it stands to its end. */
export async function* trainSteps(
  session: TrainingSession,
  folder: RunFolder,
  { signal, checkpointSeconds, turn }: StepOptions,
): AsyncGenerator<TrainEvent, void> {
  const run = new Standing(session, folder);
  const { progress } = run;
  const { stepsPerEpoch, totalSteps } = session;
  const { epochs } = folder.config;
  const parameters = parameterCount(session.model.module);
  yield { type: "start", run: folder.path, epochs, stepsPerEpoch, step: progress.step, parameters };
  let saved = { step: progress.step, at: performance.now() };
  const checkpoint = (): TrainEvent => {
    const event = run.save();
    saved = { step: progress.step, at: performance.now() };
    return event;
  };
  while (progress.step < totalSteps) {
    await turn();
    if (signal?.aborted) {
      if (saved.step < progress.step) yield checkpoint();
      yield { type: "stopped", run: folder.path, step: progress.step };
      return;
    }
    yield* oneStep(run);
    // An epoch ends with its event and then a checkpoint; a run that is killed between the two does the probe again.
    const epochEnds = progress.step % stepsPerEpoch === 0;
    if (epochEnds) yield* endEpoch(run);
    if (epochEnds || performance.now() - saved.at >= 1000 * checkpointSeconds) yield checkpoint();
  }
  yield end(run);
}

function* oneStep(run: Standing): Generator<TrainEvent> {
  const { session, progress } = run;
  const began = performance.now();
  const epoch = Math.floor(progress.step / session.stepsPerEpoch) + 1;
  const learningRate = session.learningRate(progress.step);
  const { loss, zeroGradient } = session.step(progress.step);
  if (!Number.isFinite(loss)) yield* run.fail(progress.step + 1, `the loss is ${loss}`);
  const seconds = (performance.now() - began) / 1000;
  progress.step++;
  progress.epochLoss += loss;
  progress.epochSeconds += seconds;
  progress.seconds += seconds;
  yield { type: "step", epoch, step: progress.step, loss, learningRate };
  if (zeroGradient && !run.alarms.some(({ kind }) => kind === "zero-gradient")) {
    yield run.raise("zero-gradient", progress.step, "every gradient is zero: nothing is learned any more");
  }
}

function* endEpoch(run: Standing): Generator<TrainEvent> {
  const { session, progress, epochs, folder } = run;
  const epoch = progress.step / session.stepsPerEpoch;
  // The loss is that before the last update; no attack could run on a network that answers with NaN.
  if (!session.outputsFinite()) yield* run.fail(progress.step, "the network's output is not finite");
  const event: EpochEvent = {
    type: "epoch",
    epoch,
    step: progress.step,
    loss: progress.epochLoss / session.stepsPerEpoch,
    ...session.probe(epoch),
    seconds: progress.epochSeconds,
    secondsPerStep: progress.epochSeconds / session.stepsPerEpoch,
  };
  epochs.push(event);
  folder.log(event);
  yield event;
  for (const { kind, message } of newAlarms(epochs)) yield run.raise(kind, progress.step, message);
  progress.epochLoss = 0;
  progress.epochSeconds = 0;
}

/** A run killed between the weights and the result writes the same weights again. */
function end({ session, folder, progress, epochs, alarms }: Standing): TrainEvent {
  const { network, epochs: planned } = folder.config;
  saveWeights(folder.weights, session.model.module, { run: folder.identity, network });
  const result: TrainResult = {
    epochs: planned,
    steps: session.totalSteps,
    last: epochs.at(-1)!,
    alarms,
    seconds: progress.seconds,
    libtorch: versions().libtorch,
    threads: threads(),
  };
  folder.finish(result);
  return { type: "end", run: folder.path, weights: folder.weights, result };
}

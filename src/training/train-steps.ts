import { threads, versions } from "../engine/index.js";
import { parameterCount } from "../nn/index.js";
import { newAlarms } from "./alarm.js";
import { saveWeights } from "./checkpoint.js";
import type { EpochEvent, TrainEvent, TrainResult } from "./events.js";
import { guardStep } from "./guarding.js";
import type { RunFolder } from "./run-folder.js";
import type { TrainingSession } from "./session.js";
import { Standing } from "./standing.js";

/** What the steps of a run need to know beside the run itself. */
export interface StepOptions {
  readonly signal: AbortSignal | undefined;
  readonly checkpointSeconds: number;
  /** Gives timers and signals their turn, once after each step. */
  turn(): Promise<unknown>;
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
  const { loss, zeroGradient, signals } = session.step(progress.step, progress.guard?.stepScale);
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
  yield* guardStep(run, signals);
}

const strongest = ({ probes }: EpochEvent): number => probes.at(-1)?.accuracy ?? 0;

/** The first of the epochs that are best under the last probe. */
function bestOf(epochs: readonly EpochEvent[]): EpochEvent {
  return epochs.reduce((best, epoch) => (strongest(epoch) > strongest(best) ? epoch : best));
}

function* endEpoch(run: Standing): Generator<TrainEvent> {
  const { session, progress, epochs } = run;
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
  if (bestOf(epochs) === event) session.copies.keepBest();
  yield run.logged(event);
  for (const { kind, message } of newAlarms(epochs)) yield run.raise(kind, progress.step, message);
  progress.epochLoss = 0;
  progress.epochSeconds = 0;
}

/** A run killed between the weights and the result writes the same weights again. */
function end({ session, folder, progress, epochs, alarms }: Standing): TrainEvent {
  const { network, epochs: planned, selection } = folder.config;
  session.copies.takeBest();
  saveWeights(folder.weights, session.evaluated.module, { run: folder.identity, network });
  const result: TrainResult = {
    epochs: planned,
    steps: session.totalSteps,
    last: epochs.at(-1)!,
    ...(selection === "best" ? { best: bestOf(epochs) } : {}),
    alarms,
    seconds: progress.seconds,
    libtorch: versions().libtorch,
    threads: threads(),
  };
  folder.finish(result);
  return { type: "end", run: folder.path, weights: folder.weights, result };
}

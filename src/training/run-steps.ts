import type { Steps } from "../base/index.js";
import { threads, versions } from "../engine/index.js";
import { sealIn } from "../files/index.js";
import { parameterCount } from "../nn/index.js";
import type { EpochEvent, TrainEvent, TrainResult } from "./events.js";
import { epochAlarms, newAlarms } from "./overfitting/alarm.js";
import { guardStep } from "./overfitting/watch.js";
import type { RunFolder } from "./run/run-folder.js";
import { checkSameWeights } from "./run/same-on-ranks.js";
import { Standing } from "./run/standing.js";
import { TensorBoardLog } from "./run/tensorboard-log.js";
import { saveWeights } from "./run/weights-file.js";
import type { TrainingSession } from "./session.js";

/** Manner in which the steps of a run are made. */
export interface StepOptions {
  readonly signal: AbortSignal;
  /** Writes TensorBoard's event files. */
  readonly tensorboard: boolean;
  readonly checkpointSeconds: number;
  /** Gives timers and signals their turn, once after each step. */
  turn(): Promise<unknown>;
}

/** The steps of a run from where it stands to its end; each event is logged before it is told. */
export async function* runSteps(
  session: TrainingSession,
  folder: RunFolder,
  options: StepOptions,
): Steps<TrainEvent, TrainResult> {
  const run = new Standing(session, folder);
  const writesLog = options.tensorboard && session.ranks.isFirst;
  const log = writesLog ? new TensorBoardLog(folder, run) : undefined;
  const steps = stepsFrom(run, options);
  for (;;) {
    const step = await steps.next();
    if (step.done === true) return step.value;
    log?.log(step.value);
    yield step.value;
  }
}

async function* stepsFrom(
  run: Standing,
  { signal, checkpointSeconds, turn }: StepOptions,
): Steps<TrainEvent, TrainResult> {
  const { session, folder } = run;
  const { progress } = run;
  const { stepsPerEpoch, totalSteps, ranks } = session;
  const { epochs } = folder.config;
  const parameters = parameterCount(session.model.module);
  yield {
    type: "start",
    run: folder.path,
    ...{ epochs, stepsPerEpoch, step: progress.step, parameters },
    ...session.counts,
  };
  let saved = { step: progress.step, at: performance.now() };
  const checkpoint = function* (): Generator<TrainEvent> {
    if (ranks.isFirst) yield run.save();
    saved = { step: progress.step, at: performance.now() };
  };
  while (progress.step < totalSteps) {
    await turn();
    // All ranks stop after the same step, whichever of them a signal reached.
    if (ranks.any(signal.aborted)) {
      yield* look(run);
      if (saved.step < progress.step) yield* checkpoint();
      ranks.endTogether();
      yield { type: "stopped", run: folder.path, step: progress.step };
      return undefined;
    }
    yield* oneStep(run);
    // An epoch ends with its event and then a checkpoint; a run that is killed between the two does the
    // validation again.
    const epochEnds = progress.step % stepsPerEpoch === 0;
    if (epochEnds) yield* endEpoch(run);
    if (epochEnds || performance.now() - saved.at >= 1000 * checkpointSeconds) {
      yield* look(run);
      yield* checkpoint();
    }
  }
  const result = finished(run);
  yield { type: "end", run: folder.path, weights: folder.weights, result };
  return result;
}

function* oneStep(run: Standing): Generator<TrainEvent> {
  const { session, progress } = run;
  const signals = timed(run, () => session.step(progress.step, progress.guard?.stepScale));
  progress.step++;
  if (signals !== undefined || lookIsDue(run)) yield* look(run);
  yield* guardStep(run, signals);
}

/** Training time is that of steps and of looks. */
function timed<T>({ progress }: Standing, work: () => T): T {
  const began = performance.now();
  const result = work();
  const seconds = (performance.now() - began) / 1000;
  progress.epochSeconds += seconds;
  progress.seconds += seconds;
  return result;
}

/** At the latest before anything else is done with the model. */
function lookIsDue({ session, progress: { step } }: Standing): boolean {
  const { stepsPerEpoch, guardRules } = session;
  const guarded = guardRules !== undefined && step % guardRules.interval === 0;
  return guarded || step % stepsPerEpoch === 0 || session.lookIsDue;
}

/** Reads what the last steps told, and tells it on. */
function* look(run: Standing): Generator<TrainEvent> {
  const { session, progress } = run;
  const { losses, zeroGradient } = timed(run, () => session.look());
  const first = progress.step - losses.length;
  for (const [i, loss] of losses.entries()) {
    const step = first + i + 1;
    if (!Number.isFinite(loss)) yield* run.fail(step, `the loss is ${loss}`);
    progress.epochLoss += loss;
    const epoch = Math.ceil(step / session.stepsPerEpoch);
    const learningRate = session.learningRate(step - 1);
    run.steps?.log({ step, loss, learningRate });
    yield { type: "step", epoch, step, loss, learningRate };
  }
  if (zeroGradient && !run.alarms.some(({ kind }) => kind === "zero-gradient")) {
    yield run.raise("zero-gradient", progress.step, "every gradient is zero: nothing is learned any more");
  }
}

const strongest = ({ validation }: EpochEvent): number => validation.at(-1)?.accuracy ?? 0;

/** First of the epochs that are best under the last validation attack. */
function bestOf(epochs: readonly EpochEvent[]): EpochEvent {
  return epochs.reduce((best, epoch) => (strongest(epoch) > strongest(best) ? epoch : best));
}

function* endEpoch(run: Standing): Generator<TrainEvent> {
  const { session, progress, epochs } = run;
  const { ranks } = session;
  checkSameWeights(session);
  const epoch = progress.step / session.stepsPerEpoch;
  // The loss is that before the last update; no attack could run on a model that answers with NaN.
  if (!ranks.fromFirst(() => session.outputsFinite()))
    yield* run.fail(progress.step, "the model's output is not finite");
  const event = ranks.fromFirst((): EpochEvent => {
    const { shown, ...accuracies } = session.validate(epoch);
    const told: EpochEvent = {
      type: "epoch",
      epoch,
      step: progress.step,
      loss: progress.epochLoss / session.stepsPerEpoch,
      ...accuracies,
      seconds: progress.epochSeconds,
      secondsPerStep: progress.epochSeconds / session.stepsPerEpoch,
    };
    // Before the event, so that whoever hears of the epoch finds its pictures.
    run.pictures.keep(told, shown);
    return told;
  });
  epochs.push(event);
  if (bestOf(epochs) === event) session.copies.keepBest();
  yield run.logged(event);
  for (const { kind, message } of newAlarms(epochs)) yield run.raise(kind, progress.step, message);
  progress.epochLoss = 0;
  progress.epochSeconds = 0;
}

/**
 * Saves weights and result, on the first rank. A run that is killed between the two writes the same weights
 * again.
 */
function finished(run: Standing): TrainResult {
  run.session.copies.takeBest();
  return run.session.ranks.fromFirst(() => written(run));
}

function written({ session, folder, progress, epochs, alarms }: Standing): TrainResult {
  const { model, epochs: planned, selection } = folder.config;
  const { size } = session.ranks;
  saveWeights(folder.weights, session.evaluated.module, { run: folder.identity, model: String(model) });
  const result: TrainResult = {
    epochs: planned,
    steps: session.totalSteps,
    last: epochs.at(-1)!,
    ...(selection === "best" ? { best: bestOf(epochs) } : {}),
    alarms,
    seconds: progress.seconds,
    ...(session.replays ? { replayed: true as const } : {}),
    libtorch: versions().libtorch,
    threads: threads(),
    ...(size > 1 ? { ranks: size } : {}),
    weightsSha256: sealIn(folder.weights)!,
    standing: epochAlarms(epochs).map(({ kind }) => kind),
  };
  folder.finish(result);
  return result;
}

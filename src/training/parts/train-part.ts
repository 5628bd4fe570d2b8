import { setImmediate as turn } from "node:timers/promises";
import {
  checkFolder,
  checkKind,
  checkOptionNames,
  isObject,
  type Seed,
  type Steps,
  Work,
} from "../../base/index.js";
import {
  threads as currentThreads,
  enableGrad,
  grad,
  noGrad,
  scope,
  setThreads,
  type Tensor,
} from "../../engine/index.js";
import {
  type Module,
  notFiniteWeight,
  type Optimizer,
  parameterCount,
  type Schedule,
} from "../../nn/index.js";
import { checkSeconds, loadCheckpoint, type Progress, saveCheckpoint } from "../run/checkpoint.js";
import { StepPlan } from "../step/plan.js";
import type { PartEvent, PartResult } from "./events.js";
import type { PartFolder } from "./part-folder.js";

/** Part of a defense, made ready to be trained. */
export interface PartWork {
  readonly module: Module;
  /** Notes of the file of weights, by which a defense knows it. */
  readonly notes: Readonly<Record<string, string>>;
  readonly images: number;
  readonly seed: Seed;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Mean loss of the images at positions of the training images, a scalar with its gradient. */
  loss(positions: Int32Array, step: number): Tensor;
  /** Number on test images that tells how good it is. */
  measure(): number;
  /** Frees what the training alone needs. */
  dispose(): void;
}

/** Manner in which a part is trained. */
export interface PartOptions {
  /** Folder of run folders; "runs" by default. */
  readonly runs?: string | undefined;
  /** Aborting stops the training after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  /** Threads of an operator; libtorch's own choice by default. */
  readonly threads?: number | undefined;
  /** Seconds between two checkpoints, 30 by default. */
  readonly checkpointSeconds?: number | undefined;
}

/** Options with their defaults. TypeError or RangeError names the one that does not fit. */
export function checkedPartOptions(options: PartOptions) {
  checkKind("options", options, "an object", isObject(options));
  checkOptionNames(options, ["runs", "signal", "threads", "checkpointSeconds"]);
  const { runs = "runs", signal, threads, checkpointSeconds = 30 } = options;
  checkFolder("runs", runs);
  checkSeconds(checkpointSeconds);
  return { runs, signal, threads, checkpointSeconds };
}

/** Trained part: what a defense's option takes, and how the training ended. */
export interface TrainedPart {
  readonly folder: string;
  readonly weights: string;
  readonly result: PartResult;
}

/**
 * Trains a part of a defense into its folder. Called again, it goes on from the checkpoint; a finished part
 * is not trained again.
 *
 * @param make makes it ready, and its images; not called where it is finished
 */
export function trainPart(
  folder: PartFolder,
  make: (signal: AbortSignal) => Promise<PartWork>,
  { signal, threads, checkpointSeconds }: ReturnType<typeof checkedPartOptions>,
): Work<PartEvent, TrainedPart> {
  return new Work(async function* (stop): Steps<PartEvent, TrainedPart> {
    const { path, weights, result } = folder;
    if (result !== undefined) {
      yield { type: "end", run: path, weights, result };
      return { folder: path, weights, result };
    }
    const before = currentThreads();
    let work: PartWork | undefined;
    let lock: Disposable | undefined;
    try {
      if (threads !== undefined) setThreads(threads);
      work = await make(stop);
      lock = folder.open();
      const trained = yield* steps(folder, work, stop, checkpointSeconds);
      return trained === undefined ? undefined : { folder: path, weights, result: trained };
    } finally {
      lock?.[Symbol.dispose]();
      work?.dispose();
      work?.module.dispose();
      setThreads(before);
    }
  }, signal);
}

async function* steps(
  folder: PartFolder,
  work: PartWork,
  signal: AbortSignal,
  checkpointSeconds: number,
): Steps<PartEvent, PartResult> {
  const { module, images, seed, epochs, batchSize } = work;
  const { path: run, checkpoint: path, identity } = folder;
  const parameters = module.parameters();
  const optimizer = work.optimizer.on(parameters);
  const positions = Int32Array.from({ length: images }, (_, i) => i);
  const plan = new StepPlan({ seed, positions, batchSize, method: "part" });
  const { stepsPerEpoch } = plan;
  const rate = work.schedule.rates({ epochs, stepsPerEpoch });
  const state = { module, optimizer, copies: new Map() };
  const fresh: Progress = { step: 0, epochLoss: 0, epochSeconds: 0, seconds: 0 };
  const progress = loadCheckpoint(path, state, identity) ?? fresh;
  const totalSteps = epochs * stepsPerEpoch;
  yield {
    type: "start",
    run,
    epochs,
    stepsPerEpoch,
    step: progress.step,
    parameters: parameterCount(module),
  };
  let saved = performance.now();
  let result: PartResult | undefined;
  while (progress.step < totalSteps) {
    await turn();
    const stopped = signal.aborted;
    if (stopped || performance.now() - saved >= 1000 * checkpointSeconds) {
      saveCheckpoint(path, state, progress, identity);
      saved = performance.now();
      yield { type: "checkpoint", step: progress.step, path };
    }
    if (stopped) {
      yield { type: "stopped", run, step: progress.step };
      return undefined;
    }
    const began = performance.now();
    const learningRate = rate(progress.step);
    const loss = oneStep(
      work,
      [...parameters.values()],
      plan.positions(progress.step),
      progress.step,
      (found) => optimizer.step(found, learningRate),
    );
    const step = ++progress.step;
    progress.seconds += (performance.now() - began) / 1000;
    progress.epochLoss += loss;
    if (!Number.isFinite(loss)) throw diverged(`the loss is ${loss}`, step);
    const epoch = Math.ceil(step / stepsPerEpoch);
    yield { type: "step", epoch, step, loss, learningRate };
    if (step % stepsPerEpoch !== 0) continue;
    // The loss is that before the last update.
    if (notFiniteWeight(module) !== undefined) throw diverged("the weights are not finite", step);
    const measure = noGrad(() => scope(() => work.measure()));
    if (!Number.isFinite(measure)) throw diverged(`the measure is ${measure}`, step);
    result = { steps: step, loss: progress.epochLoss / stepsPerEpoch, measure, seconds: progress.seconds };
    yield { type: "epoch", epoch, step, loss: result.loss, measure, seconds: progress.seconds };
    progress.epochLoss = 0;
  }
  // A checkpoint after the last step was never taken, so the last epoch ends in this sitting.
  folder.finish(module, work.notes, result!);
  yield { type: "end", run, weights: folder.weights, result: result! };
  return result;
}

function diverged(what: string, step: number): Error {
  return new Error(`training stopped: ${what} after step ${step}: lower the learning rate`);
}

/** Makes one step, and returns its loss. */
function oneStep(
  work: PartWork,
  parameters: readonly Tensor[],
  positions: Int32Array,
  step: number,
  update: (gradients: readonly Tensor[]) => void,
): number {
  return scope(() => {
    const loss = enableGrad(() => work.loss(positions, step));
    update(grad(loss, parameters, { unused: "zeros" }));
    return loss.detach().item();
  });
}

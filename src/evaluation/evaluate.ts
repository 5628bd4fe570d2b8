import { setImmediate as turn } from "node:timers/promises";
import { checkAttacks, checkClassifier } from "../attacks/contract/arguments.js";
import type { Attack, SuitePart } from "../attacks/index.js";
import { checkKind, deriveSeed, isObject } from "../base/index.js";
import { type Split, TensorSplit } from "../datasets/index.js";
import { checkSplit } from "../datasets/split.js";
import { capturesGraphs, scope, type Tensor } from "../engine/index.js";
import { type Classifier, checkLabels } from "../nn/classifier.js";
import { replayed } from "../nn/index.js";
import { Answers } from "../trials/answers.js";
import { flagImages, flagsOf } from "../trials/flags.js";
import { stoppable } from "../trials/stoppable.js";
import { verifyAdversarial } from "../trials/verify.js";
import { type Evaluation, type EvaluationRow, summarize } from "./evaluation.js";

export type EvaluationEvent =
  /** `attack` is its label, or "clean". */
  | { readonly type: "progress"; readonly attack: string; readonly done: number; readonly images: number }
  | { readonly type: "end"; readonly evaluation: Evaluation };

export interface EvaluationOptions {
  readonly attacks: readonly Attack[];
  /** Fresh draws a randomized network answers each image in, 100 by default; a deterministic one always answers once. */
  readonly draws?: number | undefined;
  readonly seed?: number | undefined;
  /** Images attacked together, 500 by default: results do not depend on it. */
  readonly batchSize?: number | undefined;
  /** Where the networks are, and the images are put: `cpu` (where left out), `cuda` or `cuda:N`. */
  readonly device?: string | undefined;
  /** Attacks run on this network, and its images are shown to the evaluated one. */
  readonly surrogate?: Classifier | undefined;
  /** Told of each attack of a suite such as AutoAttack that has run on a batch. */
  readonly onPart?: ((part: SuitePart) => void) | undefined;
  /** Aborting ends the evaluation before its next pass with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const mostDraws = 10_000;

function checkCount(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new RangeError(`${name} must be an integer in 1 .. ${most}, not ${value}`);
}

function checkFit(model: Classifier, split: Split, surrogate: Classifier): void {
  const [channels, height, width] = model.inputShape;
  if (split.count === 0) throw new RangeError("the split must hold at least one image");
  if (split.images.length !== split.count * channels * height * width) {
    const size = split.images.length / split.count;
    throw new RangeError(
      `the network takes images of shape [${model.inputShape.join(", ")}], the split's have ${size} pixels`,
    );
  }
  if (surrogate.inputShape.join() !== model.inputShape.join() || surrogate.classes !== model.classes) {
    throw new RangeError("the surrogate must take images of the same shape and have as many classes as the network");
  }
}

/**
 * Measures a network's accuracy on clean images and under attacks, and yields how far it is.
 *
 * A randomized network's accuracy is that of fresh draws, other than those any attack saw: the mean over draws and images,
 * with a 95 % interval by bootstrap over images. A deterministic network's interval is Wilson's. Every attack's images are
 * checked again. Nothing depends on the batch size, unless the network does: then a flag says so.
 */
export async function* evaluate(
  given: Classifier,
  split: Split,
  options: EvaluationOptions,
): AsyncGenerator<EvaluationEvent, void> {
  checkClassifier(given);
  checkSplit(split);
  checkKind("options", options, "an object such as { attacks: [pgd()] }", isObject(options));
  const { attacks, draws: asked = 100, seed = 0, batchSize = 500, signal, onPart } = options;
  checkCount("draws", asked, mostDraws);
  checkCount("batchSize", batchSize, 2 ** 31 - 1);
  checkClassifier(options.surrogate ?? given, "surrogate");
  checkKind("signal", signal, "an AbortSignal", signal === undefined || signal instanceof AbortSignal);
  const networks = withGraphs(options.device ?? "cpu", given, options.surrogate);
  const model = stoppable(networks.model, signal);
  const surrogate = networks.surrogate === networks.model ? model : stoppable(networks.surrogate, signal);
  checkFit(model, split, surrogate);
  checkAttacks(attacks);
  const draws = model.randomized ? asked : 1;
  const attackSeed = deriveSeed(seed, "evaluation", "attack");
  const images = split.count;
  const data = new TensorSplit(split, model.inputShape, { device: options.device });
  const rows: EvaluationRow[] = [];
  try {
    for (const attack of [undefined, ...attacks]) {
      const name = attack?.label ?? "clean";
      const row = { name, answers: new Answers(images, draws), passes: { forward: 0, backward: 0 }, seconds: 0 };
      const answerSeed = deriveSeed(seed, "evaluation", "answers", name);
      const situation = attack === undefined ? "on clean images" : `under ${name}`;
      rows.push(row);
      yield { type: "progress", attack: name, done: 0, images };
      for (let first = 0; first < images; first += batchSize) {
        // Timers and signals get their turn only between batches.
        await turn();
        signal?.throwIfAborted();
        const began = performance.now();
        scope(() => {
          const batch = data.range(first, batchSize);
          checkLabels(model, batch.images, batch.labels);
          const { labels, imageIds } = batch;
          let shown: Tensor = batch.images;
          if (attack !== undefined) {
            const context = { seed: attackSeed, imageIds, passes: row.passes, ...(onPart && { onPart }) };
            shown = attack(surrogate, batch.images, labels, context);
            verifyAdversarial(attack, batch.images, shown);
          }
          row.answers.add(model, shown, labels, imageIds, answerSeed, first, situation);
        });
        row.seconds += (performance.now() - began) / 1000;
        yield { type: "progress", attack: name, done: Math.min(first + batchSize, images), images };
      }
    }
    const flags = scope(() => flagsOf(model, data.range(0, flagImages), deriveSeed(seed, "evaluation", "flags")));
    const intervalSeed = deriveSeed(seed, "evaluation", "interval");
    yield { type: "end", evaluation: summarize(rows, model.randomized, intervalSeed, flags) };
  } finally {
    data.dispose();
    networks.dispose();
  }
}

/** The network and the one that is attacked in its place, if any, with graphs of their passes where the device captures them. */
function withGraphs(device: string, model: Classifier, surrogate: Classifier = model) {
  if (!capturesGraphs(device)) return { model, surrogate, dispose() {} };
  const own = replayed(model, device);
  const other = surrogate === model ? own : replayed(surrogate, device);
  return {
    model: own,
    surrogate: other,
    dispose() {
      own.dispose();
      other.dispose();
    },
  };
}

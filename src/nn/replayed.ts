import {
  type DeviceGraph,
  enableGrad,
  grad,
  graphOrWarning,
  keep,
  type Noise,
  noGrad,
  operators as ops,
  passesBeforeCapture,
  Tensor,
} from "../engine/index.js";
import { type Classifier, checkImages, type ImagePass } from "./classifier.js";

/** A classifier that holds graphs, until it is disposed. */
export interface ReplayedClassifier extends Classifier {
  dispose(): void;
}

/** Records work as a graph; undefined where that fails. */
export type Capture = (work: () => readonly Tensor[]) => DeviceGraph | undefined;

/** Batches of so many sizes have graphs, those that came last: each keeps the memory of a pass. */
const mostSizes = 4;

/**
 * The classifier with its passes replayed as graphs: most attacks pass batches of one size through it
 * thousands of times. A size's first passes of each kind, answers and gradients, are done operator by
 * operator. Results are the classifier's own; they are copies, which no later pass changes. `capture` says
 * how work is recorded, as a graph of the device where left out.
 */
export function replayed(
  classifier: Classifier,
  device: string,
  capture: Capture = (work) => graphOrWarning(device, work, "passes of an evaluation"),
): ReplayedClassifier {
  const { inputShape, classes, randomized, surrogates, levels } = classifier;
  /** The one that was used last stands last. */
  const sizes = new Map<number, SizedPasses>();
  const passesOf = (images: Tensor, noise: Noise): SizedPasses | undefined => {
    // A pass under automatic differentiation is the caller's own, and a seed in a tensor a captured step's.
    if (images.requiresGrad || noise.seed instanceof Tensor) return undefined;
    checkImages(classifier, images);
    const count = images.shape[0]!;
    const passes = sizes.get(count) ?? new SizedPasses(classifier, count, device, capture);
    sizes.delete(count);
    sizes.set(count, passes);
    if (sizes.size > mostSizes) {
      const [oldest] = sizes.keys();
      sizes.get(oldest!)!.dispose();
      sizes.delete(oldest!);
    }
    return passes;
  };
  const logits: Classifier["logits"] = (images, noise) =>
    passesOf(images, noise)?.logits(images, noise) ?? classifier.logits(images, noise);
  return {
    inputShape,
    classes,
    randomized,
    logits,
    pass(images, noise) {
      // A copy with other logits has other gradients.
      return this.logits === logits ? passesOf(images, noise)?.pass(images, noise) : undefined;
    },
    ...(surrogates && { surrogates }),
    ...(levels && { levels }),
    dispose() {
      for (const passes of sizes.values()) passes.dispose();
      sizes.clear();
    },
  };
}

/**
 * A kind of pass: how often it was asked for, and its graph once it has one; null where it has none for good.
 */
class Replay {
  graph: DeviceGraph | null | undefined;
  #asked = 0;

  /**
   * Replays the graph, once `write` has said what it is to work on, and returns what it made; undefined
   * without a graph.
   */
  run(begin: () => DeviceGraph | undefined, write: () => void): Tensor | undefined {
    if (this.graph === undefined && this.#asked++ >= passesBeforeCapture) this.graph = begin() ?? null;
    if (!this.graph) return undefined;
    write();
    this.graph.replay();
    return this.graph.results[0]!.clone();
  }
}

/** The passes of batches of one size, which read their images and their noise in tensors of their own. */
class SizedPasses {
  readonly #classifier: Classifier;
  readonly #capture: Capture;
  readonly #images: Tensor;
  readonly #weights: Tensor;
  readonly #seed: Tensor;
  readonly #imageIds: Tensor;
  readonly #answer = new Replay();
  readonly #forward = new Replay();
  #backward: DeviceGraph | undefined;
  /**
   * Tensors that the forward graph leaves for the backward one: the images and the logits that came of them.
   */
  #recorded: { readonly input: Tensor; readonly logits: Tensor } | undefined;
  /** Counts the passes, of which only the last can be gone back through. */
  #turn = 0;

  constructor(classifier: Classifier, count: number, device: string, capture: Capture) {
    this.#classifier = classifier;
    this.#capture = capture;
    this.#images = keep(ops.zeros([count, ...classifier.inputShape], "float32", device));
    this.#weights = keep(ops.zeros([count, classifier.classes], "float32", device));
    this.#seed = keep(ops.zeros([3], "int64", device));
    this.#imageIds = keep(ops.zeros([count], "int64", device));
  }

  /** Undefined where the pass has no graph, or none yet. */
  logits(images: Tensor, noise: Noise): Tensor | undefined {
    const work = () => [noGrad(() => this.#classifier.logits(this.#images, this.#noise))];
    return this.#answer.run(
      () => this.#capture(work),
      () => this.#write(images, noise),
    );
  }

  pass(images: Tensor, noise: Noise): ImagePass | undefined {
    const logits = this.#forward.run(
      () => this.#begin(),
      () => this.#write(images, noise),
    );
    if (logits === undefined) return undefined;
    const turn = this.#turn;
    return {
      logits,
      imageGradient: (weights) => {
        if (turn !== this.#turn)
          throw new Error("only the last pass of a replayed classifier has a gradient");
        this.#weights.copy_(weights);
        this.#backward!.replay();
        return this.#backward!.results[0]!.clone();
      },
    };
  }

  get #noise(): Noise {
    return { seed: this.#seed, draw: 0, imageIds: this.#imageIds };
  }

  #write(images: Tensor, { seed, draw, imageIds }: Noise): void {
    this.#turn++;
    this.#images.copy_(images);
    if (!this.#classifier.randomized || seed instanceof Tensor) return;
    this.#imageIds.copy_(imageIds);
    this.#seed.write(BigInt64Array.from([seed.low, seed.high, draw], BigInt));
  }

  /** Captures the pass forward and the pass back; undefined where either fails. */
  #begin(): DeviceGraph | undefined {
    const forward = this.#capture(() => {
      this.#forget();
      const input = keep(this.#images.detach().requireGrad());
      const logits = keep(enableGrad(() => this.#classifier.logits(input, this.#noise)));
      this.#recorded = { input, logits };
      return [logits.detach()];
    });
    if (forward !== undefined) {
      this.#backward = this.#capture(() => {
        const { input, logits } = this.#recorded!;
        const scalar = enableGrad(() => logits.mul(this.#weights).sum());
        return grad(scalar, [input], { keepGraph: true, unused: "zeros" });
      });
      if (this.#backward !== undefined) return forward;
      forward.dispose();
    }
    this.#forget();
    return undefined;
  }

  #forget(): void {
    this.#recorded?.input.dispose();
    this.#recorded?.logits.dispose();
    this.#recorded = undefined;
  }

  dispose(): void {
    for (const graph of [this.#answer.graph, this.#backward, this.#forward.graph]) graph?.dispose();
    this.#forget();
    for (const value of [this.#images, this.#weights, this.#seed, this.#imageIds]) value.dispose();
  }
}

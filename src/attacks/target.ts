import {
  countedNormal,
  countedUniform,
  deriveSeed,
  enableGrad,
  grad,
  type Noise,
  noGrad,
  operators as ops,
  type Seed,
  scope,
  type Tensor,
} from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";
import type { Loss } from "../nn/losses.js";
import type { Attack } from "./attack.js";

/** Passes of single images through the network that an attack has used. */
export interface PassCounter {
  forward: number;
  backward: number;
}

/** What an attack runs on: seeds, the ids of the images, and where its passes are counted. */
export interface AttackContext {
  readonly seed: Seed | number;
  /** int64 of shape (N); noise is keyed by them, so results do not depend on how images are batched. */
  readonly imageIds: Tensor;
  readonly passes?: PassCounter;
}

/**
 * The classifier under attack as an attack sees it: every call is a fresh draw of the network's noise, and is counted.
 *
 * Noise is keyed by the attack's name and not by its options, so that runs which differ in the radius, the steps or the
 * number of restarts share their draws, and differ by their options alone. (Training gives a method's whole label as name.)
 */
export class Target {
  readonly classes: number;
  readonly randomized: boolean;
  readonly #model: Classifier;
  readonly #context: AttackContext;
  readonly #attackName: string;
  readonly #requireFinite: boolean;
  #draw = 0;

  /** With `requireFinite`, a gradient that holds NaN or an infinity is an Error; training has its own alarm for that. */
  constructor(
    model: Classifier,
    context: AttackContext,
    attackName: string,
    { requireFinite = false }: { requireFinite?: boolean } = {},
  ) {
    this.classes = model.classes;
    this.randomized = model.randomized;
    this.#model = model;
    this.#context = context;
    this.#attackName = attackName;
    this.#requireFinite = requireFinite;
  }

  #seed(purpose: string): Seed {
    return deriveSeed(this.#context.seed, "attack", this.#attackName, purpose);
  }

  #modelNoise(purpose: string, draw: number): Noise {
    return { seed: this.#seed(purpose), draw, imageIds: this.#context.imageIds };
  }

  #count(kind: keyof PassCounter, images: Tensor): void {
    if (this.#context.passes) this.#context.passes[kind] += images.shape[0]!;
  }

  /** Logits (N, classes) of one fresh draw, without gradients. */
  logits(images: Tensor): Tensor {
    this.#count("forward", images);
    return noGrad(() => scope(() => this.#model.logits(images, this.#modelNoise("model", this.#draw++))));
  }

  /** Predicted classes, int64 (N), of one fresh draw. */
  predict(images: Tensor): Tensor {
    return scope(() => this.logits(images).argmax(1));
  }

  /**
   * The mean of a loss over draws that no other call sees, float32 (N); the same draws at every call, so that candidates
   * are compared on equal terms.
   */
  meanLoss(images: Tensor, labels: Tensor, loss: Loss, draws: number): Tensor {
    return noGrad(() =>
      scope(() => {
        const sum = ops.zeros([images.shape[0]!], "float32", images.device);
        for (let draw = 0; draw < draws; draw++) {
          this.#count("forward", images);
          scope(() => sum.add_(loss(this.#model.logits(images, this.#modelNoise("selection", draw)), labels)));
        }
        sum.div_(draws);
        return sum;
      }),
    );
  }

  /**
   * The gradient of a loss with respect to the images, with the logits and losses it was taken at.
   *
   * `loss` maps logits (N, classes) to losses (N); their sum is differentiated, so an image's gradient is its own.
   */
  gradient(images: Tensor, loss: (logits: Tensor) => Tensor): { gradient: Tensor; logits: Tensor; losses: Tensor } {
    this.#count("forward", images);
    this.#count("backward", images);
    return enableGrad(() =>
      scope(() => {
        const input = images.detach().requireGrad();
        const logits = this.#model.logits(input, this.#modelNoise("model", this.#draw++));
        const losses = loss(logits);
        const [gradient] = grad(losses.sum(), [input]);
        // The sign of NaN is 0: without this check such a network would pass for a robust one.
        if (this.#requireFinite && !Number.isFinite(gradient!.sum().item())) {
          throw new Error(`attack ${this.#attackName}: the gradient of the network's loss is not finite`);
        }
        // A gradient may be an expanded view, which cannot be changed in place.
        return { gradient: gradient!.contiguous(), logits: logits.detach(), losses: losses.detach() };
      }),
    );
  }

  /** Uniform noise in [low, high) of shape (N, ...elementShape); `stream` tells an attack's sources of noise apart. */
  uniform(elementShape: readonly number[], low: number, high: number, stream: number): Tensor {
    return scope(() => {
      const noise = countedUniform(this.#modelNoise("noise", 0), stream, elementShape);
      noise.mul_(high - low);
      noise.add_(low);
      return noise;
    });
  }

  /** Standard normal noise of shape (N, ...elementShape); `stream` is below 2^31. */
  normal(elementShape: readonly number[], stream: number): Tensor {
    return scope(() => countedNormal(this.#modelNoise("noise", 0), stream, elementShape));
  }

  /** The target seen by some of its images, int64 indices (M), with the same noise for each. */
  rows(indices: Tensor): Target {
    const context = { ...this.#context, imageIds: this.#context.imageIds.indexSelect(0, indices) };
    const rows = new Target(this.#model, context, this.#attackName, { requireFinite: this.#requireFinite });
    rows.#draw = this.#draw;
    return rows;
  }

  /** Runs another attack on the same model and ids; runs of different `round` have unrelated noise, round 0 its own. */
  run(attack: Attack, images: Tensor, labels: Tensor, round = 0): Tensor {
    const { seed } = this.#context;
    const roundSeed = round === 0 ? seed : deriveSeed(seed, "attack", this.#attackName, "round", round);
    return attack(this.#model, images, labels, { ...this.#context, seed: roundSeed });
  }
}

import { deriveSeed } from "../../base/index.js";
import {
  countedNormal,
  countedUniform,
  enableGrad,
  type Noise,
  noGrad,
  operators as ops,
  scope,
  type Tensor,
} from "../../engine/index.js";
import type { Classifier } from "../../nn/classifier.js";
import type { Loss } from "../../nn/losses.js";
import type { Attack } from "./attack.js";
import { type AttackContext, attackSeed, type PassCounter, type TargetOptions } from "./context.js";
import type { Derivative, DerivativeRequest, Differentiate } from "./differentiate.js";
import { derivativeAt, derivativeOf, gradientOf, jacobianOf, sumOf } from "./differentiate.js";
import { composeViews, meanOfDraws, plainView, scaled, type View, viewedLogits } from "./view.js";

/** Draws by which a randomized network is judged: one lucky draw is no success. */
const verdictDraws = 8;

/**
 * The classifier under attack as an attack sees it: every call is a fresh draw of the network's noise, or the mean over
 * several where the context's view says so, and is counted.
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
  readonly #options: TargetOptions;
  readonly #view: View;
  readonly #draws: number;
  #draw = 0;

  constructor(model: Classifier, context: AttackContext, attackName: string, options: TargetOptions = {}) {
    this.classes = model.classes;
    this.randomized = model.randomized;
    this.#model = model;
    this.#context = context;
    this.#attackName = attackName;
    this.#options = options;
    this.#view = context.view ?? plainView;
    // The draws of a deterministic network are all alike.
    this.#draws = model.randomized ? this.#view.draws : 1;
  }

  #seed(purpose: string): Noise["seed"] {
    return this.#options.seeds?.(purpose) ?? attackSeed(this.#context.seed, this.#attackName, purpose);
  }

  #modelNoise(purpose: string, draw: number): Noise {
    return { seed: this.#seed(purpose), draw, imageIds: this.#context.imageIds };
  }

  #count(kind: keyof PassCounter, images: Tensor, times = 1): void {
    if (this.#context.passes) this.#context.passes[kind] += images.shape[0]! * times;
  }

  /** Logits (N, classes) without gradients: of one fresh draw, or the mean over as many as the view says. */
  logits(images: Tensor): Tensor {
    return noGrad(() => scope(() => this.#watched(this.#freshMean(images))));
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
          const noise = this.#modelNoise("selection", draw);
          scope(() => sum.add_(loss(this.#watched(this.#model.logits(images, noise)), labels)));
        }
        return sum.div(draws);
      }),
    );
  }

  /**
   * The mean of a loss over draws, as the view shows the network, float32 (N), without gradients: what a score-based attack
   * learns. Over as many draws as the view says, else `draws`; the same ones at every call of a `round`, so that
   * candidates are compared on equal terms, and none that chooses between attacks later.
   */
  query(images: Tensor, labels: Tensor, loss: Loss, draws: number, round = 0): Tensor {
    const count = this.#draws > 1 || !this.randomized ? this.#draws : draws;
    const answers = (of: (logits: Tensor) => Tensor) =>
      Array.from({ length: count }, (_, draw) =>
        scope(() => of(this.#watched(this.#answer(images, this.#modelNoise("query", round * count + draw))))),
      );
    return noGrad(() =>
      scope(() => {
        const view = this.#view;
        const softmax = view.mean === "softmax";
        const given = answers((logits) => (softmax ? logits : loss(logits, labels)));
        return softmax ? loss(meanOfDraws(given, view), labels) : meanOfDraws(given, view);
      }),
    );
  }

  /**
   * The gradient of a loss with respect to the images, with the logits and losses it was taken at; means over draws where
   * the view says so.
   *
   * `loss` maps logits (N, classes) to losses (N); their sum is differentiated, so an image's gradient is its own.
   */
  gradient(images: Tensor, loss: (logits: Tensor) => Tensor): Derivative {
    return this.#differentiate(images, loss, gradientOf);
  }

  /** The gradient of each logit with respect to the images, (N, classes, C, H, W), for one pass forward; else as `gradient`. */
  jacobian(images: Tensor): { jacobian: Tensor; logits: Tensor } {
    const { gradient, logits } = this.#differentiate(images, (outputs) => outputs, jacobianOf, this.classes);
    return { jacobian: gradient, logits };
  }

  #differentiate(
    images: Tensor,
    loss: (logits: Tensor) => Tensor,
    differentiate: Differentiate,
    backwards = 1,
  ): Derivative {
    const draws = this.#draws;
    const result = enableGrad(() =>
      scope(() => {
        this.#count("backward", images, backwards * draws);
        if (this.#view.mean === "softmax" && draws > 1) {
          // One derivative, which goes back through every draw.
          return derivativeAt(images, (input) => this.#freshMean(input), { loss, differentiate, share: 1 });
        }
        const asked = { loss, differentiate, share: 1 / draws };
        return sumOf(this.#fresh((noise) => this.#derivative(images, noise, asked)));
      }),
    );
    this.#options.watch?.see(result.logits, result.gradient);
    return result;
  }

  /** A derivative in one draw, by the network's own pass where it has one. */
  #derivative(images: Tensor, noise: Noise, asked: DerivativeRequest): Derivative {
    const view = this.#view;
    // A pass of its own knows nothing of substitutes.
    const pass = view.through === undefined ? this.#model.pass?.(images, noise) : undefined;
    if (pass === undefined) return derivativeAt(images, (input) => this.#answer(input, noise), asked);
    this.#count("forward", images);
    return derivativeOf(pass, (logits) => scaled(logits, view), asked);
  }

  /** What `answer` gives in each of the view's draws, with noise that no earlier call has seen. */
  #fresh<T>(answer: (noise: Noise) => T): T[] {
    return Array.from({ length: this.#draws }, () => answer(this.#modelNoise("model", this.#draw++)));
  }

  /** Logits with gradients: of one fresh draw, or the mean over as many as the view says. */
  #freshMean(input: Tensor): Tensor {
    return meanOfDraws(
      this.#fresh((noise) => this.#answer(input, noise)),
      this.#view,
    );
  }

  /** Logits as they are, seen by the watch. */
  #watched(logits: Tensor): Tensor {
    this.#options.watch?.see(logits);
    return logits;
  }

  /** Logits of one draw, as the view shows them. */
  #answer(input: Tensor, noise: Noise): Tensor {
    return viewedLogits(this.#model, this.#view, input, noise, () => this.#count("forward", input));
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

  /**
   * Whether something holds of each image (N), bool: of a deterministic network's logits at all, of a randomized one's in
   * more than half of `draws` draws that no other call sees. The view plays no part.
   */
  mostly(images: Tensor, labels: Tensor, holds: Loss, draws = verdictDraws): Tensor {
    const vote: Loss = (logits, ofLabels) => holds(logits, ofLabels).to("float32");
    return scope(() => this.meanLoss(images, labels, vote, this.randomized ? draws : 1).gt(0.5));
  }

  /** Whether each image (N) is misclassified, bool, as `mostly` judges. */
  fooled(images: Tensor, labels: Tensor, draws = verdictDraws): Tensor {
    return this.mostly(images, labels, (logits, ofLabels) => logits.argmax(1).ne(ofLabels), draws);
  }

  /** The target seen by some of its images, int64 indices (M), with the same noise for each. */
  rows(indices: Tensor): Target {
    const { scale } = this.#view;
    const context = {
      ...this.#context,
      imageIds: this.#context.imageIds.indexSelect(0, indices),
      view: { ...this.#view, scale: typeof scale === "number" ? scale : scale.indexSelect(0, indices) },
    };
    const rows = new Target(this.#model, context, this.#attackName, this.#options);
    rows.#draw = this.#draw;
    return rows;
  }

  /**
   * Runs another attack on the same model and ids. Runs of different `round` have unrelated noise, round 0 its own; `view`
   * changes what it names of how the network is seen.
   */
  run(
    attack: Attack,
    images: Tensor,
    labels: Tensor,
    { round = 0, view = {} }: { round?: number; view?: Partial<View> } = {},
  ): Tensor {
    const { seed } = this.#context;
    const roundSeed = round === 0 ? seed : deriveSeed(seed, "attack", this.#attackName, "round", round);
    const context = { ...this.#context, seed: roundSeed, view: composeViews(this.#view, view) };
    return attack(this.#model, images, labels, context);
  }
}

import { checkNumber, deriveSeed } from "../../base/index.js";
import { enableGrad, type Noise, noGrad, normal, scope, type Tensor, uniform } from "../../engine/index.js";
import { type Classifier, checkLogits, type Loss, type PixelLevels } from "../../nn/index.js";
import { type Derivative, derivativeAt, derivativeIn, gradientOf, jacobianOf, sumOf } from "./derivatives.js";
import {
  type AttackContext,
  attackSeed,
  clearlyWrong,
  composeViews,
  lossesOf,
  meanOfDraws,
  type PassCounter,
  plainView,
  type Runnable,
  type VictimOptions,
  type View,
  verdictDraws,
  viewedLogits,
} from "./passes.js";

/**
 * Classifier under attack, as the attack sees it. Every call is a fresh draw of its noise, or the mean over
 * several where the context's view says so, and is counted.
 *
 * Noise is keyed by the attack's name, not by its options: runs that differ in radius or steps share draws.
 */
export class Victim {
  readonly classes: number;
  readonly randomized: boolean;
  readonly context: AttackContext;
  readonly levels: PixelLevels | undefined;
  readonly #classifier: Classifier;
  readonly #name: string;
  readonly #options: VictimOptions;
  readonly #view: View;
  readonly #draws: number;
  /** Draws taken so far, by this victim and all that see rows of it. */
  #taken = { draws: 0 };

  constructor(classifier: Classifier, context: AttackContext, name: string, options: VictimOptions = {}) {
    this.classes = classifier.classes;
    this.randomized = classifier.randomized;
    this.levels = classifier.levels;
    this.#classifier = classifier;
    this.context = context;
    this.#name = name;
    this.#options = options;
    this.#view = context.view ?? plainView;
    // The draws of a deterministic classifier are all alike.
    this.#draws = classifier.randomized ? this.#view.draws : 1;
  }

  #noise(purpose: string, draw: number): Noise {
    const { seed, rankingSeed = seed, imageIds } = this.context;
    const [root, name] = purpose === "ranking" ? [rankingSeed, "any"] : [seed, this.#name];
    return { seed: this.#options.seeds?.(purpose) ?? attackSeed(root, name, purpose), draw, imageIds };
  }

  #count(kind: keyof PassCounter, images: Tensor, times = 1): void {
    if (this.context.passes) this.context.passes[kind] += images.shape[0]! * times;
  }

  /** Logits (N, classes) without gradients: of one fresh draw, or the mean over as many as the view says. */
  logits(images: Tensor): Tensor {
    return noGrad(() => scope(() => this.#watched(this.#freshMean(images))));
  }

  /** Logits (N, classes) that rank the classes, of the mean softmax: alike for attacks inside one another. */
  ranking(images: Tensor): Tensor {
    const count = { length: this.randomized ? verdictDraws : 1 };
    const answer = (_: unknown, draw: number) => this.#answer(images, this.#noise("ranking", draw));
    const mean = () => meanOfDraws(Array.from(count, answer), { mean: "softmax" });
    return noGrad(() => scope(() => this.#watched(mean())));
  }

  /**
   * Mean of a loss, float32 (N), over draws that no other call sees. Every call takes the same draws, so that
   * candidates are compared on equal terms. The view plays no part.
   */
  meanLoss(images: Tensor, labels: Tensor, loss: Loss, draws: number): Tensor {
    const answer = (draw: number) => {
      this.#count("forward", images);
      const logits = this.#classifier.logits(images, this.#noise("selection", draw));
      return this.#watched(checkLogits(this, images, logits));
    };
    checkNumber("draws", draws, "a whole number of at least 1", Number.isInteger(draws) && draws >= 1);
    return noGrad(() =>
      scope(() => {
        const sum = scope(() => lossesOf(loss, answer(0), labels).clone());
        for (let draw = 1; draw < draws; draw++) scope(() => sum.add_(loss(answer(draw), labels)));
        return sum.div(draws);
      }),
    );
  }

  /**
   * Mean of a loss over draws, float32 (N), as the view shows the classifier and without gradients: the
   * answer to a query. It runs over as many draws as the view says, else `draws`. Every call of a `round`
   * takes the same draws; none of them chooses between attacks later.
   */
  query(images: Tensor, labels: Tensor, loss: Loss, draws: number, round = 0): Tensor {
    const view = this.#view;
    const softmax = view.mean === "softmax";
    const count = this.#draws > 1 || !this.randomized ? this.#draws : draws;
    const answer = (draw: number) => {
      const logits = this.#watched(this.#answer(images, this.#noise("query", round * count + draw)));
      return softmax ? logits : lossesOf(loss, logits, labels);
    };
    return noGrad(() =>
      scope(() => {
        const answers = Array.from({ length: count }, (_, draw) => scope(() => answer(draw)));
        const mean = meanOfDraws(answers, view);
        return softmax ? lossesOf(loss, mean, labels) : mean;
      }),
    );
  }

  /**
   * Gradient of a loss with respect to the images, with the logits and losses at which it was taken. All are
   * means over draws where the view says so.
   *
   * `loss` maps logits (N, classes) to losses (N). Their sum is differentiated, so an image's gradient is its
   * own.
   */
  gradient(
    images: Tensor,
    loss: (logits: Tensor) => Tensor,
    differentiate: typeof gradientOf = gradientOf,
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
        const request = { loss, differentiate, share: 1 / draws };
        const count = () => this.#count("forward", images);
        const [classifier, view] = [this.#classifier, this.#view];
        return sumOf(this.#fresh((noise) => derivativeIn(classifier, view, images, noise, request, count)));
      }),
    );
    this.context.onGradient?.({ gradient: result.gradient, logits: result.logits, loss });
    this.#options.watch?.see(result.logits, result.gradient);
    return result;
  }

  /** Logits (N, K), and their gradients (N, K, C, H, W): of all classes, or of `classes`, int64 (N, K). */
  jacobian(images: Tensor, classes?: Tensor): { jacobian: Tensor; logits: Tensor } {
    const chosen = (outputs: Tensor) => (classes === undefined ? outputs : outputs.gather(1, classes));
    const count = classes?.shape[1] ?? this.classes;
    const { gradient, losses } = this.gradient(images, chosen, jacobianOf, count);
    return { jacobian: gradient, logits: losses };
  }

  /** Answers in each of the view's draws, with noise that no earlier call has seen. */
  #fresh<T>(answer: (noise: Noise) => T): T[] {
    return Array.from({ length: this.#draws }, () => answer(this.#noise("model", this.#taken.draws++)));
  }

  /** Logits with gradients: of one fresh draw, or the mean over as many as the view says. */
  #freshMean(input: Tensor): Tensor {
    const draws = this.#fresh((noise) => this.#answer(input, noise));
    return meanOfDraws(draws, this.#view);
  }

  #watched(logits: Tensor): Tensor {
    this.#options.watch?.see(logits);
    return logits;
  }

  /** Logits of one draw, as the view shows them. */
  #answer(input: Tensor, noise: Noise): Tensor {
    return viewedLogits(this.#classifier, this.#view, input, noise, () => this.#count("forward", input));
  }

  /**
   * Uniform noise in [low, high) of shape (N, ...elementShape); `stream` tells an attack's sources of noise
   * apart.
   */
  uniform(elementShape: readonly number[], low = 0, high = 1, stream = 0): Tensor {
    for (const [name, bound] of Object.entries({ low, high }))
      checkNumber(name, bound, "a finite number", Number.isFinite(bound));
    return scope(() => {
      const noise = uniform(this.#noise("noise", 0), elementShape, stream);
      noise.mul_(high - low);
      noise.add_(low);
      return noise;
    });
  }

  /** Standard normal noise of shape (N, ...elementShape); `stream` is below 2^31. */
  normal(elementShape: readonly number[], stream = 0): Tensor {
    return scope(() => normal(this.#noise("noise", 0), elementShape, stream));
  }

  /**
   * Tells, bool (N), for which images something holds of the logits. Of a randomized classifier's, it must
   * hold in more than half of `draws` draws, which no other call sees. The view plays no part. Where `holds`
   * gives several columns, so does the result.
   */
  mostly(images: Tensor, labels: Tensor, holds: Loss, draws = verdictDraws): Tensor {
    const vote: Loss = (logits, ofLabels) => holds(logits, ofLabels).to("float32");
    return scope(() => this.meanLoss(images, labels, vote, this.randomized ? draws : 1).gt(0.5));
  }

  /** Tells, bool (N), which images are misclassified, as `mostly` judges. */
  fooled(images: Tensor, labels: Tensor, draws = verdictDraws): Tensor {
    return this.mostly(images, labels, clearlyWrong, draws);
  }

  /** Victim of another form of the same classifier, with the same noise and counts. */
  as(classifier: Classifier, context = this.context): Victim {
    const other = new Victim(classifier, context, this.#name, this.#options);
    other.#taken = this.#taken;
    return other;
  }

  /** Victim of some of the images, int64 indices (M), with the same noise for each. */
  rows(indices: Tensor): Victim {
    const take = (all: Tensor) => all.indexSelect(0, indices);
    const { scale } = this.#view;
    const view = { ...this.#view, scale: typeof scale === "number" ? scale : take(scale) };
    return this.as(this.#classifier, { ...this.context, imageIds: take(this.context.imageIds), view });
  }

  /**
   * Runs another attack on the same classifier and ids. Runs of different `round` have unrelated noise, round
   * 0 its own; `view` changes the parts of the view that it names.
   */
  run(
    attack: Runnable,
    images: Tensor,
    labels: Tensor,
    { round = 0, view = {} }: { round?: number; view?: Partial<View> } = {},
  ): Tensor {
    const { seed, rankingSeed = seed } = this.context;
    const roundSeed = round === 0 ? seed : deriveSeed(seed, "attack", this.#name, "round", round);
    const composed = composeViews(this.#view, view);
    const context = { ...this.context, seed: roundSeed, rankingSeed, view: composed };
    return attack(this.#classifier, images, labels, context);
  }
}

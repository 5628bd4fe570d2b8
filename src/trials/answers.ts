import { NotFiniteError, type Seed } from "../base/index.js";
import { noGrad, operators as ops, scope, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";
import { type Accuracy, bootstrap, wilson } from "./interval.js";

/**
 * In how many draws of the network's noise each image was answered correctly. Draws are counted in two halves, the even ones
 * and the odd ones, so that what is chosen by one half can be judged by the other.
 */
export class Counts {
  readonly images: number;
  readonly draws: number;
  /** Correct answers of each image in the even draws and in the odd ones. */
  readonly halves: readonly [even: Uint16Array, odd: Uint16Array];

  constructor(images: number, draws: number) {
    this.images = images;
    this.draws = draws;
    this.halves = [new Uint16Array(images), new Uint16Array(images)];
  }

  /** Correct answers of each image, 0 .. draws. */
  get correct(): Uint16Array {
    const [even, odd] = this.halves;
    return even.map((count, i) => count + odd[i]!);
  }

  /** The share of draws in which each image was answered correctly. */
  shares(): Float32Array {
    const { draws } = this;
    return Float32Array.from(this.correct, (count) => count / draws);
  }

  /** The accuracy: the mean over images and draws. */
  mean(): number {
    return this.shares().reduce((sum, share) => sum + share, 0) / this.images;
  }
}

/** How each image was answered over draws of the network's noise. */
export class Answers extends Counts {
  /** 1 where the label alone had the most answers of all draws, else 0: a tie is wrong. */
  readonly majority: Uint8Array;
  /** The same of the even draws and of the odd ones; of a single draw, which is an even one, both are that. */
  readonly votes: readonly [even: Uint8Array, odd: Uint8Array];

  constructor(images: number, draws: number) {
    super(images, draws);
    this.majority = new Uint8Array(images);
    this.votes = [new Uint8Array(images), new Uint8Array(images)];
  }

  /**
   * Lets the network answer images (N, C, H, W), which begin at `first`, in every draw. Throws a NotFiniteError when a logit
   * is not a finite number; `situation` tells where, such as "on clean images".
   */
  add(model: Classifier, images: Tensor, labels: Tensor, ids: Tensor, seed: Seed, first: number, situation: string) {
    noGrad(() =>
      scope(() => {
        const shape = [images.shape[0]!, model.classes];
        const votes = [0, 1].map(() => ops.zeros(shape, "float32", images.device));
        for (let draw = 0; draw < this.draws; draw++) {
          scope(() => {
            const answers = checkedLogits(model, images, ids, seed, draw, situation).argmax(1, true);
            const half = votes[draw % 2]!;
            half.add_(half.zerosLike().scatterValue(1, answers, 1));
          });
        }
        const column = labels.unsqueeze(1);
        const counted = (half: Tensor) => half.gather(1, column).squeeze(1);
        const wins = (half: Tensor) =>
          counted(half)
            .gt(half.scatterValue(1, column, -1).amax([1]))
            .toNumbers();
        const [even, odd] = [votes[0]!, votes[1]!];
        this.halves[0].set(counted(even).toNumbers(), first);
        this.halves[1].set(counted(odd).toNumbers(), first);
        this.votes[0].set(wins(even), first);
        this.votes[1].set(wins(this.draws === 1 ? even : odd), first);
        this.majority.set(wins(even.add(odd)), first);
      }),
    );
  }
}

function checkedLogits(
  model: Classifier,
  images: Tensor,
  imageIds: Tensor,
  seed: Seed,
  draw: number,
  situation: string,
): Tensor {
  const logits = model.logits(images, { seed, draw, imageIds });
  const wanted = [images.shape[0]!, model.classes];
  if (logits.shape.join() !== wanted.join()) {
    throw new RangeError(
      `the network's logits must have shape [${wanted.join(", ")}], not [${logits.shape.join(", ")}]`,
    );
  }
  if (logits.isfinite().all().item() === 0) {
    const kind = logits.isnan().any().item() === 0 ? "infinite" : "NaN";
    const message = `the network's logits are ${kind} ${situation}: its weights or its activations overflowed`;
    throw new NotFiniteError("logits", message);
  }
  return logits;
}

/** The mean over draws and images with its interval: Wilson's for one certain answer an image, else the bootstrap's. */
export function accuracyOf({ correct, draws }: Counts, randomized: boolean, seed: Seed): Accuracy {
  if (randomized) return bootstrap(correct, draws, seed);
  return wilson(
    correct.reduce((sum, count) => sum + count, 0),
    correct.length,
  );
}

/** The share of images whose label alone had the most answers, with Wilson's interval. */
export function majorityOf({ majority }: Answers): Accuracy {
  return wilson(
    majority.reduce((sum, one) => sum + one, 0),
    majority.length,
  );
}

/** The share of images answered correctly in every draw: what is left to an attacker who may ask `draws` times. */
export function everyDrawOf(answers: Counts): Accuracy {
  const { correct } = answers;
  return wilson(correct.filter((count) => count === answers.draws).length, correct.length);
}

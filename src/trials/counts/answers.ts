import { NotFiniteError, type Seed } from "../../base/index.js";
import type { Batch } from "../../datasets/index.js";
import { type Noise, noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import { type Classifier, checkLogits } from "../../nn/index.js";
import { type Accuracy, bootstrap, wilson } from "./interval.js";

/** Draws in which an image can be answered: counts of them have 16 bits. */
export const mostDraws = 10_000;

/**
 * Number of draws in which each image was answered correctly. The even draws and the odd ones are counted
 * apart, so that a choice by one half can be judged by the other.
 */
export class Counts {
  readonly images: number;
  readonly draws: number;
  /** Correct answers to each image in the even draws and in the odd ones. */
  readonly halves: readonly [even: Uint16Array, odd: Uint16Array];

  constructor(images: number, draws: number) {
    this.images = images;
    this.draws = draws;
    this.halves = [new Uint16Array(images), new Uint16Array(images)];
  }

  /** Correct answers to each image, 0 .. draws. */
  get correct(): Uint16Array {
    const [even, odd] = this.halves;
    return even.map((count, i) => count + odd[i]!);
  }

  /** Share of draws in which each image was answered correctly. */
  shares(): Float32Array {
    const { draws } = this;
    return Float32Array.from(this.correct, (count) => count / draws);
  }

  /** Accuracy: the mean over images and draws. */
  mean(): number {
    return this.correct.reduce((sum, count) => sum + count, 0) / (this.images * this.draws);
  }
}

/** Answers to images over draws of a classifier's noise, and their votes. */
export class Answers extends Counts {
  /** 1 where the label alone had the most answers of all draws, else 0: a tie is wrong. */
  readonly majority: Uint8Array;
  /** The same for the even draws and the odd ones; a single draw, which is an even one, stands for both. */
  readonly votes: readonly [even: Uint8Array, odd: Uint8Array];

  constructor(images: number, draws: number) {
    super(images, draws);
    this.majority = new Uint8Array(images);
    this.votes = [new Uint8Array(images), new Uint8Array(images)];
  }

  /**
   * Counts a classifier's answers to a batch of all the images in every draw, and returns the class that each
   * was most often given. `situation`, such as "on clean images", is part of the NotFiniteError that NaN and
   * infinite logits end in.
   */
  count(classifier: Classifier, batch: Batch, seed: Seed, situation: string): readonly number[] {
    const { images, labels, imageIds } = batch;
    return noGrad(() =>
      scope(() => {
        const shape = [images.shape[0]!, classifier.classes];
        const votes = [0, 1].map(() => ops.zeros(shape, "float32", images.device));
        for (let draw = 0; draw < this.draws; draw++) {
          scope(() => {
            const answers = finiteLogits(classifier, images, { seed, draw, imageIds }, situation).argmax(
              1,
              true,
            );
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
        this.halves[0].set(counted(even).toNumbers());
        this.halves[1].set(counted(odd).toNumbers());
        this.votes[0].set(wins(even));
        this.votes[1].set(wins(this.draws === 1 ? even : odd));
        const all = even.add(odd);
        this.majority.set(wins(all));
        return all.argmax(1).toNumbers();
      }),
    );
  }
}

function finiteLogits(classifier: Classifier, images: Tensor, noise: Noise, situation: string): Tensor {
  const logits = checkLogits(classifier, images, classifier.logits(images, noise));
  if (logits.isfinite().all().item() === 0) {
    const kind = logits.isnan().any().item() === 0 ? "infinite" : "NaN";
    const message = `the logits are ${kind} ${situation}: weights or activations overflowed`;
    throw new NotFiniteError("logits", message);
  }
  return logits;
}

/**
 * Mean over draws and images with its interval: Wilson's for one certain answer an image, else the
 * bootstrap's.
 */
export function accuracyOf({ correct, draws }: Counts, randomized: boolean, seed: Seed): Accuracy {
  if (randomized) return bootstrap(correct, draws, seed);
  return wilson(
    correct.reduce((sum, count) => sum + count, 0),
    correct.length,
  );
}

/** Share of images whose label alone had the most answers, with Wilson's interval. */
export function majorityOf({ majority }: Answers): Accuracy {
  return wilson(
    majority.reduce((sum, one) => sum + one, 0),
    majority.length,
  );
}

/**
 * Share of images answered correctly in every draw: the accuracy against an attacker who may ask `draws`
 * times.
 */
export function everyDrawOf(answers: Counts): Accuracy {
  const { correct } = answers;
  return wilson(correct.filter((count) => count === answers.draws).length, correct.length);
}

import { noGrad, type Seed, scope, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";
import { type Accuracy, bootstrap, wilson } from "./interval.js";

/** How often each image was answered correctly over draws of the network's noise. */
export class Answers {
  readonly draws: number;
  /** Correct answers of each image, 0 .. draws. */
  readonly correct: Uint16Array;

  constructor(images: number, draws: number) {
    this.draws = draws;
    this.correct = new Uint16Array(images);
  }

  /**
   * Lets the network answer images (N, C, H, W), which begin at `first`, in every draw. Throws an Error when a logit is not
   * a finite number; `situation` tells where, such as "on clean images".
   */
  add(model: Classifier, images: Tensor, labels: Tensor, ids: Tensor, seed: Seed, first: number, situation: string) {
    for (let draw = 0; draw < this.draws; draw++) {
      noGrad(() =>
        scope(() => {
          const logits = checkedLogits(model, images, ids, seed, draw, situation);
          const correct = logits.argmax(1).eq(labels).toNumbers();
          for (const [i, one] of correct.entries()) this.correct[first + i]! += one;
        }),
      );
    }
  }

  /** The share of draws in which each image was answered correctly. */
  shares(): Float32Array {
    return Float32Array.from(this.correct, (count) => count / this.draws);
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
    throw new Error(`the network's logits are ${kind} ${situation}: its weights or its activations overflowed`);
  }
  return logits;
}

/** The mean over draws and images with its interval: Wilson's for one certain answer an image, else the bootstrap's. */
export function accuracyOf({ correct, draws }: Answers, randomized: boolean, seed: Seed): Accuracy {
  if (randomized) return bootstrap(correct, draws, seed);
  return wilson(
    correct.reduce((sum, count) => sum + count, 0),
    correct.length,
  );
}

/**
 * The worst of several rows for each image: the least of its shares of correct draws. Of several noisy shares the least is
 * low by luck too, so with few draws of a randomized network this is below the truth, never above it on average.
 */
export function worstOf(rows: readonly Answers[]): Answers {
  const [first] = rows;
  if (first === undefined) throw new RangeError("worstOf needs at least one row");
  const worst = new Answers(first.correct.length, first.draws);
  for (const i of worst.correct.keys()) worst.correct[i] = Math.min(...rows.map((row) => row.correct[i]!));
  return worst;
}

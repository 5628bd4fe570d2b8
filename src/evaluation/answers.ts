import { noGrad, operators as ops, type Seed, scope, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";
import { type Accuracy, bootstrap, wilson } from "./interval.js";

/**
 * How each image was answered over draws of the network's noise. Draws are counted in two halves, the even ones and the odd
 * ones, so that what is chosen by one half can be judged by the other.
 */
export class Answers {
  readonly draws: number;
  /** Correct answers of each image in the even draws and in the odd ones. */
  readonly halves: readonly [even: Uint16Array, odd: Uint16Array];
  /** 1 where the label alone had the most answers, else 0: a tie is wrong. */
  readonly majority: Uint8Array;

  constructor(images: number, draws: number) {
    this.draws = draws;
    this.halves = [new Uint16Array(images), new Uint16Array(images)];
    this.majority = new Uint8Array(images);
  }

  /** Correct answers of each image, 0 .. draws. */
  get correct(): Uint16Array {
    const [even, odd] = this.halves;
    return even.map((count, i) => count + odd[i]!);
  }

  /**
   * Lets the network answer images (N, C, H, W), which begin at `first`, in every draw. Throws an Error when a logit is not
   * a finite number; `situation` tells where, such as "on clean images".
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
        for (const [i, half] of votes.entries()) {
          this.halves[i]!.set(half.gather(1, column).squeeze(1).toNumbers(), first);
        }
        const all = votes[0]!.add(votes[1]!);
        const others = all.scatterValue(1, column, -1).amax([1]);
        this.majority.set(all.gather(1, column).squeeze(1).gt(others).toNumbers(), first);
      }),
    );
  }

  /** The share of draws in which each image was answered correctly. */
  shares(): Float32Array {
    const { draws } = this;
    return Float32Array.from(this.correct, (count) => count / draws);
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

/** The share of images whose label alone had the most answers, with Wilson's interval. */
export function majorityOf({ majority }: Answers): Accuracy {
  return wilson(
    majority.reduce((sum, one) => sum + one, 0),
    majority.length,
  );
}

/** The share of images answered correctly in every draw: what is left to an attacker who may ask `draws` times. */
export function everyDrawOf(answers: Answers): Accuracy {
  const { correct } = answers;
  return wilson(correct.filter((count) => count === answers.draws).length, correct.length);
}

/**
 * The worst of several rows for each image. Of several noisy counts the least is low by luck too; so the row is chosen by its
 * even draws and counted in its odd ones, and the other way round. Where rows are close, a choice by half the draws is poor: a
 * row that is lower as a whole then stands for the worst case, which it bounds. With a single draw the least counts, which
 * is exact for a deterministic network.
 */
export function worstOf(rows: readonly Answers[]): Answers {
  const [first] = rows;
  if (first === undefined) throw new RangeError("worstOf needs at least one row");
  const { draws } = first;
  const worst = new Answers(first.majority.length, draws);
  for (const i of worst.majority.keys()) {
    const [byEven, byOdd] = [0, 1].map((half) => least(rows, (row) => row.halves[half]![i]!));
    worst.halves[0]![i] = (draws === 1 ? byEven! : byOdd!).halves[0][i]!;
    worst.halves[1]![i] = byEven!.halves[1][i]!;
    worst.majority[i] = Math.min(...rows.map((row) => row.majority[i]!));
  }
  const total = ({ correct }: Answers) => correct.reduce((sum, count) => sum + count, 0);
  const lowest = [worst, ...rows].reduce((best, row) => (total(row) < total(best) ? row : best));
  for (const half of [0, 1] as const) worst.halves[half].set(lowest.halves[half]);
  return worst;
}

function least(rows: readonly Answers[], count: (row: Answers) => number): Answers {
  return rows.reduce((best, row) => (count(row) < count(best) ? row : best));
}

import type { Seed } from "../../base/index.js";
import { type Answers, Counts, everyDrawOf } from "./answers.js";
import { type Accuracy, bootstrap } from "./interval.js";

const half = [0, 1] as const;
const other = (side: 0 | 1) => (side === 0 ? 1 : 0);

/** Row of the lowest count; the first of several. */
function lowest<Row>(rows: readonly Row[], count: (row: Row) => number): Row {
  return rows.reduce((best, row) => (count(row) < count(best) ? row : best));
}

const sum = (counts: ArrayLike<number>) =>
  Array.prototype.reduce.call(counts, (a, b) => Number(a) + Number(b), 0) as number;

/**
 * Worst case of each image over several rows of counts. For a deterministic classifier it is the least count,
 * which is exact. The least of several noisy counts is low by luck too. So a randomized classifier's row is
 * chosen by its even draws and counted in its odd ones, and the other way round.
 *
 * Rows are chosen in two ways, each free of that luck: one for each image, and, since half the draws choose
 * poorly between close rows, one for all images. The lower total is returned. Both stand for attacks that
 * exist, so the true worst case is no higher. RangeError without rows, and for a randomized classifier that
 * answered in a single draw.
 */
export function worstOf(rows: readonly Counts[], randomized: boolean): Counts {
  checkRows("worstOf", rows, randomized);
  const { images, draws } = rows[0]!;
  if (!randomized) {
    const least = new Counts(images, draws);
    for (const side of half) {
      for (let i = 0; i < images; i++)
        least.halves[side][i] = Math.min(...rows.map((row) => row.halves[side][i]!));
    }
    return least;
  }
  const asWhole = new Counts(images, draws);
  for (const judged of half) {
    const chosen = lowest(rows, (row) => sum(row.halves[other(judged)]));
    asWhole.halves[judged].set(chosen.halves[judged]);
  }
  return lowest([worstByImage(rows), asWhole], (row) => sum(row.correct));
}

/** Counts of a randomized classifier, for each image in the row that the other half of the draws chose. */
function worstByImage(rows: readonly Counts[]): Counts {
  const { images, draws } = rows[0]!;
  const worst = new Counts(images, draws);
  for (const judged of half) {
    for (let i = 0; i < images; i++) {
      worst.halves[judged][i] = lowest(rows, (row) => row.halves[other(judged)][i]!).halves[judged][i]!;
    }
  }
  return worst;
}

/**
 * Share of images that a randomized classifier answers correctly in every draw, in the row that the other
 * half of the draws chose for the image: the accuracy against an attacker who may ask as often.
 */
export function worstEveryDrawOf(rows: readonly Counts[]): Accuracy {
  checkRows("worstEveryDrawOf", rows, true);
  return everyDrawOf(worstByImage(rows));
}

/**
 * Accuracy of a randomized classifier's majority vote in the worst case of each image: one half of the draws
 * chooses the row, the other half votes, both ways. A minimum over the votes of all draws would be low by
 * luck.
 */
export function worstVoteOf(rows: readonly Answers[], seed: Seed): Accuracy {
  checkRows("worstVoteOf", rows, true);
  const won = new Uint16Array(rows[0]!.images);
  for (const judged of half) {
    for (let i = 0; i < won.length; i++) {
      won[i]! += lowest(rows, (row) => row.halves[other(judged)][i]!).votes[judged][i]!;
    }
  }
  return bootstrap(won, 2, seed);
}

function checkRows(name: string, rows: readonly Counts[], randomized: boolean): void {
  const [first] = rows;
  if (first === undefined) throw new RangeError(`${name} needs at least one row`);
  if (randomized && first.draws < 2) {
    throw new RangeError(`${name}: a randomized model must answer in at least 2 draws, not ${first.draws}`);
  }
}

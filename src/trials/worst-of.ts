import type { Seed } from "../base/index.js";
import { type Answers, Counts, everyDrawOf } from "./answers.js";
import { type Accuracy, bootstrap } from "./interval.js";

const half = [0, 1] as const;
const other = (side: 0 | 1) => (side === 0 ? 1 : 0);

/** The row of the lowest count; the first of several. */
function lowest<Row>(rows: readonly Row[], count: (row: Row) => number): Row {
  return rows.reduce((best, row) => (count(row) < count(best) ? row : best));
}

const sum = (counts: ArrayLike<number>) =>
  Array.prototype.reduce.call(counts, (a, b) => Number(a) + Number(b), 0) as number;

/**
 * The worst of several rows for each image. A deterministic network's is the least of each, which is exact. Of several noisy
 * counts the least is low by luck too; so a randomized network's row is chosen by its even draws and counted in its odd ones,
 * and the other way round. Two ways to choose count, each without that luck: a row for each image, and, since half the draws
 * are a poor choice where rows are close, one row for all images. The lower of the two as a whole is returned. Either stands
 * for attacks that exist, so that the true worst case is no higher.
 *
 * Throws a RangeError without rows, and for a randomized network that answered in a single draw.
 */
export function worstOf(rows: readonly Counts[], randomized: boolean): Counts {
  checkRows("worstOf", rows, randomized);
  const { images, draws } = rows[0]!;
  if (!randomized) {
    const least = new Counts(images, draws);
    for (const side of half) {
      for (let i = 0; i < images; i++) least.halves[side][i] = Math.min(...rows.map((row) => row.halves[side][i]!));
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

/** Answers of a randomized network to each image under the row that the other half of the draws chose for it. */
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
 * The share of images that a randomized network answers correctly in every draw, of several rows the one that the other half
 * of the draws chose for the image: what is left to whoever may ask as often.
 */
export function worstEveryDrawOf(rows: readonly Counts[]): Accuracy {
  checkRows("worstEveryDrawOf", rows, true);
  return everyDrawOf(worstByImage(rows));
}

/**
 * The accuracy of a randomized network's majority vote under the worst of several rows for each image: a row chosen by one
 * half of the draws, and the vote of the other half, both ways. So the vote is one of half the draws. A minimum over the votes
 * of all draws would be low by luck wherever a vote is close.
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
    throw new RangeError(`${name}: a randomized network must answer in at least 2 draws, not ${first.draws}`);
  }
}

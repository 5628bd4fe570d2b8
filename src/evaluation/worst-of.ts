import type { Seed } from "../engine/index.js";
import { type Answers, Counts } from "./answers.js";
import { type Accuracy, bootstrap, wilson } from "./interval.js";

const half = [0, 1] as const;

/** The row of the lowest count; the first of several. */
function lowest<Row>(rows: readonly Row[], count: (row: Row) => number): Row {
  return rows.reduce((best, row) => (count(row) < count(best) ? row : best));
}

const sum = (counts: ArrayLike<number>) =>
  Array.prototype.reduce.call(counts, (a, b) => Number(a) + Number(b), 0) as number;

/**
 * The worst of several rows for each image. Of several noisy counts the least is low by luck too; so a row is chosen by its even
 * draws and counted in its odd ones, and the other way round. Two ways to choose count, each without that luck: a row for
 * each image, and, since half the draws are a poor choice where rows are close, one row for all images. The lower of the two as
 * a whole is returned. Either stands for attacks that exist, so that the true worst case is no higher. With a single draw
 * the least of each image counts, which is exact for a deterministic network.
 */
export function worstOf(rows: readonly Counts[]): Counts {
  const [first] = rows;
  if (first === undefined) throw new RangeError("worstOf needs at least one row");
  const { images, draws } = first;
  if (draws === 1) {
    const least = new Counts(images, draws);
    for (let i = 0; i < images; i++) least.halves[0][i] = Math.min(...rows.map((row) => row.halves[0][i]!));
    return least;
  }
  const byImage = new Counts(images, draws);
  const asWhole = new Counts(images, draws);
  for (const judged of half) {
    const chooses = judged === 0 ? 1 : 0;
    const chosen = lowest(rows, (row) => sum(row.halves[chooses]));
    asWhole.halves[judged].set(chosen.halves[judged]);
    for (let i = 0; i < images; i++) {
      byImage.halves[judged][i] = lowest(rows, (row) => row.halves[chooses][i]!).halves[judged][i]!;
    }
  }
  return lowest([byImage, asWhole], (row) => sum(row.correct));
}

/**
 * The accuracy of the majority vote under the worst of several rows for each image: a row chosen by one half of the draws, and
 * the vote of the other half, both ways. So the vote is one of half the draws. A minimum over the votes of all draws would be
 * low by luck wherever a vote is close. With a single draw, the least.
 */
export function worstVoteOf(rows: readonly Answers[], seed: Seed): Accuracy {
  const [first] = rows;
  if (first === undefined) throw new RangeError("worstVoteOf needs at least one row");
  const { images, draws } = first;
  if (draws === 1) return wilson(sum(worstOf(rows).correct), images);
  const won = new Uint16Array(images);
  for (const judged of half) {
    const chooses = judged === 0 ? 1 : 0;
    for (let i = 0; i < images; i++) won[i]! += lowest(rows, (row) => row.halves[chooses][i]!).votes[judged][i]!;
  }
  return bootstrap(won, 2, seed);
}

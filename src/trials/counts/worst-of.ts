import { chosenFor, type HalfCounts, type Seed, worstByImage, worstCounts } from "../../base/index.js";
import { type Answers, Counts, everyDrawOf } from "./answers.js";
import { type Accuracy, bootstrap } from "./interval.js";

/** Counts of the images and the draws of rows. */
function countsOf({ images, draws }: Counts, [even, odd]: HalfCounts): Counts {
  const counts = new Counts(images, draws);
  counts.halves[0].set(even);
  counts.halves[1].set(odd);
  return counts;
}

/**
 * Worst case of each image over several rows of counts, as `worstCounts` has it. RangeError without rows, and
 * for a randomized classifier that answered in a single draw.
 */
export function worstOf(rows: readonly Counts[], randomized: boolean): Counts {
  checkRows("worstOf", rows, randomized);
  return countsOf(rows[0]!, worstCounts(rows, randomized));
}

/**
 * Share of images that a randomized classifier answers correctly in every draw, in the row that the other
 * half of the draws chose for the image: the accuracy against an attacker who may ask as often.
 */
export function worstEveryDrawOf(rows: readonly Counts[]): Accuracy {
  checkRows("worstEveryDrawOf", rows, true);
  return everyDrawOf(countsOf(rows[0]!, worstByImage(rows)));
}

/**
 * Accuracy of a randomized classifier's majority vote in the worst case of each image: one half of the draws
 * chooses the row, the other half votes, both ways. A minimum over the votes of all draws would be low by
 * luck.
 */
export function worstVoteOf(rows: readonly Answers[], seed: Seed): Accuracy {
  checkRows("worstVoteOf", rows, true);
  const won = new Uint16Array(rows[0]!.images);
  for (const judged of [0, 1] as const) {
    for (let i = 0; i < won.length; i++) won[i]! += chosenFor(rows, i, judged).votes[judged][i]!;
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

/** Correct answers to each image, in a classifier's even draws and in its odd ones. */
export type HalfCounts = readonly [even: ArrayLike<number>, odd: ArrayLike<number>];

const half = [0, 1] as const;
const other = (side: 0 | 1) => (side === 0 ? 1 : 0);

/** Row of the lowest count; the first of several. */
function lowest<Row>(rows: readonly Row[], count: (row: Row) => number): Row {
  let best = rows[0] as Row;
  let least = count(best);
  for (const row of rows) {
    const now = count(row);
    if (now >= least) continue;
    best = row;
    least = now;
  }
  return best;
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

/** Row that an image's draws of the half that is not judged choose: the lowest there. */
export function chosenFor<Row extends { readonly halves: HalfCounts }>(
  rows: readonly Row[],
  image: number,
  judged: 0 | 1,
): Row {
  return lowest(rows, ({ halves }) => halves[other(judged)][image]!);
}

/** Counts of a randomized classifier, for each image in the row that the other half of the draws chose. */
export function worstByImage(rows: readonly { readonly halves: HalfCounts }[]): [number[], number[]] {
  const images = Array.from(rows[0]!.halves[0], (_, image) => image);
  return half.map((judged) =>
    images.map((image) => chosenFor(rows, image, judged).halves[judged][image]!),
  ) as [number[], number[]];
}

/**
 * Worst case of each image over several rows of counts. For a deterministic classifier it is the least count,
 * which is exact. The least of several noisy counts is low by luck too. So a randomized classifier's row is
 * chosen by its even draws and counted in its odd ones, and the other way round.
 *
 * Rows are chosen in two ways, each free of that luck: one for each image, and, since half the draws choose
 * poorly between close rows, one for all images. The lower total is returned. Both stand for attacks that
 * exist, so the true worst case is no higher. There is at least one row.
 */
export function worstCounts(
  rows: readonly { readonly halves: HalfCounts }[],
  randomized: boolean,
): HalfCounts {
  if (!randomized) {
    const least = (side: 0 | 1) =>
      Array.from(rows[0]!.halves[side], (_, image) =>
        Math.min(...rows.map((row) => row.halves[side][image]!)),
      );
    return [least(0), least(1)];
  }
  const asWhole = half.map(
    (judged) => lowest(rows, ({ halves }) => total(halves[other(judged)])).halves[judged],
  ) as unknown as HalfCounts;
  return lowest([worstByImage(rows), asWhole], ([even, odd]) => total(even) + total(odd));
}

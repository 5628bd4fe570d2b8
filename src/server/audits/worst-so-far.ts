import type { AuditTrial } from "../api.js";
import type { KeptBatch } from "./batch-files.js";

/** Correct answers to an image in the even draws and in the odd ones. */
interface Counts {
  readonly even: number;
  readonly odd: number;
  readonly draws: number;
}

/** Worst of an image so far: the counts that are lowest in the even draws, and in the odd ones. */
interface Worst {
  readonly byEven: Counts;
  readonly byOdd: Counts;
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const shareOf = ({ even, odd, draws }: Counts) => (even + odd) / draws;

function worse(known: Worst | undefined, now: Counts): Worst {
  if (known === undefined) return { byEven: now, byOdd: now };
  return {
    byEven: now.even < known.byEven.even ? now : known.byEven,
    byOdd: now.odd < known.byOdd.odd ? now : known.byOdd,
  };
}

/**
 * Share of correct answers in the worst case. The lowest of several noisy counts is low by luck too: so what
 * the even draws choose is counted in the odd ones, and the other way round. A single draw is exact.
 */
function worstShare({ byEven, byOdd }: Worst): number {
  const { draws } = byEven;
  return draws === 1 ? byEven.even : (byEven.odd + byOdd.even) / draws;
}

/**
 * Progress of trials in their order: the worst case over images as it falls from attack to attack.
 *
 * @param inBall trials that count in the worst case; the others go beyond the radius, or ask another player
 */
export function progressOf(trials: ReadonlyMap<string, readonly KeptBatch[]>, inBall: ReadonlySet<string>) {
  const worst = new Map<number, Worst>();
  const clean = new Map<number, number>();
  const felledBy = new Map<number, string>();
  const worstSoFar = () => mean([...worst.values()].map(worstShare));
  const lines: Omit<AuditTrial, "label">[] = [...trials].map(([id, batches]) => {
    const shares: number[] = [];
    for (const { first, even, odd, draws } of batches) {
      even.forEach((count, i) => {
        const position = first + i;
        const counts = { even: count, odd: odd[i]!, draws };
        const share = shareOf(counts);
        shares.push(share);
        if (id === "clean") clean.set(position, share);
        if (!inBall.has(id)) return;
        worst.set(position, worse(worst.get(position), counts));
        const fell = id !== "clean" && share < 0.5 && (clean.get(position) ?? 1) >= 0.5;
        if (fell && !felledBy.has(position)) felledBy.set(position, id);
      });
    }
    return {
      id,
      done: shares.length,
      accuracy: mean(shares),
      worst: inBall.has(id) && shares.length > 0 ? worstSoFar() : null,
      seconds: batches.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  });
  const fallen = [...felledBy].sort(([a], [b]) => a - b).map(([position, by]) => ({ position, by }));
  return { lines, fallen, clean: mean([...clean.values()]), worst: worstSoFar() };
}

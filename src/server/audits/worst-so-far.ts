import { type HalfCounts, worstCounts } from "../../base/index.js";
import type { AuditTrial } from "../api.js";
import type { KeptBatch } from "./batch-files.js";

/** Correct answers to an image in the even draws and in the odd ones. */
interface Counts {
  readonly even: number;
  readonly odd: number;
  readonly draws: number;
}

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const shareOf = ({ even, odd, draws }: Counts) => (even + odd) / draws;

/** Worst case over trials that may still go on, as the audit itself has it over whole ones. */
class WorstSoFar {
  readonly #trials: ReadonlyMap<number, Counts>[] = [];
  /** First answers to each image, which stand for those of trials that have not come to it. */
  readonly #first = new Map<number, Counts>();
  #rows: { readonly halves: HalfCounts }[] = [];

  add(trial: ReadonlyMap<number, Counts>): void {
    const before = this.#first.size;
    for (const [position, counts] of trial) {
      if (!this.#first.has(position)) this.#first.set(position, counts);
    }
    this.#trials.push(trial);
    const isKnown = this.#first.size === before;
    const rows = (isKnown ? [trial] : this.#trials).map((one) => this.#rowOf(one));
    this.#rows = isKnown ? [...this.#rows, ...rows] : rows;
  }

  #rowOf(trial: ReadonlyMap<number, Counts>): { readonly halves: HalfCounts } {
    const counts = [...this.#first].map(([position, first]) => trial.get(position) ?? first);
    return { halves: [counts.map(({ even }) => even), counts.map(({ odd }) => odd)] };
  }

  /** Share of correct answers; null before the first image. */
  get accuracy(): number | null {
    const draws = [...this.#first.values()].map((counts) => counts.draws);
    if (draws.length === 0) return null;
    const [even, odd] = worstCounts(this.#rows, Math.max(...draws) > 1);
    return mean(draws.map((count, i) => (even[i]! + odd[i]!) / count));
  }
}

/**
 * Progress of trials in their order: the worst case over images as it falls from attack to attack.
 *
 * @param inBall trials that count in the worst case; the others go beyond the radius, or ask another player
 */
export function progressOf(trials: ReadonlyMap<string, readonly KeptBatch[]>, inBall: ReadonlySet<string>) {
  const worst = new WorstSoFar();
  const clean = new Map<number, number>();
  const felledBy = new Map<number, string>();
  const lines: Omit<AuditTrial, "label">[] = [...trials].map(([id, batches]) => {
    // By image: batches of another size, of an audit that was stopped and goes on with it, hold some twice.
    const answers = new Map<number, Counts>();
    for (const { first, even, odd, draws } of batches) {
      even.forEach((count, i) => {
        const position = first + i;
        const counts = { even: count, odd: odd[i]!, draws };
        const share = shareOf(counts);
        if (id === "clean") clean.set(position, share);
        answers.set(position, counts);
        if (!inBall.has(id)) return;
        const fell = id !== "clean" && share < 0.5 && (clean.get(position) ?? 1) >= 0.5;
        if (fell && !felledBy.has(position)) felledBy.set(position, id);
      });
    }
    if (inBall.has(id)) worst.add(answers);
    return {
      id,
      done: answers.size,
      accuracy: mean([...answers.values()].map(shareOf)),
      worst: inBall.has(id) && answers.size > 0 ? worst.accuracy : null,
      seconds: batches.reduce((sum, { seconds }) => sum + seconds, 0),
    };
  });
  const fallen = [...felledBy].sort(([a], [b]) => a - b).map(([position, by]) => ({ position, by }));
  return { lines, fallen, clean: mean([...clean.values()]), worst: worst.accuracy };
}

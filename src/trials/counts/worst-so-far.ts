import type { Counts } from "./answers.js";
import { worstOf } from "./worst-of.js";

/** Accuracy in the worst case of each image over the trials so far, as it falls from one to the next. */
export class WorstSoFar {
  readonly #rows: Counts[] = [];

  /** @param randomized as of `worstOf` */
  constructor(readonly randomized: boolean) {}

  /** Undefined before the first trial. */
  get accuracy(): number | undefined {
    return this.#rows.length === 0 ? undefined : worstOf(this.#rows, this.randomized).mean();
  }

  /** Adds the answers to the images of a trial. */
  add(answers: Counts): void {
    this.#rows.push(answers);
  }
}

import { type Precision, precisions } from "../../src/nn/index.js";
import type { Child } from "../shared/child.js";

/** A product that takes at least so long is not ruled by what a call costs. */
const enoughSeconds = 0.03;
const largest = 4096;

/** Products of a turn: a peak is what the machine does undisturbed. */
const repeats = 3;

/** The machine's peak: the most that a product of two large matrices reached in any engine and any round. */
export class Matrices {
  readonly #children: readonly (readonly [side: string, child: Child])[];
  readonly #sizes = new Map<string, number>();
  /** Operations a second; none where no engine multiplies in that precision. */
  readonly peaks: Partial<Record<Precision, number>> = {};

  constructor(children: readonly (readonly [string, Child])[]) {
    this.#children = children;
  }

  /**
   * Finds sizes that take long enough, from small ones up: an emulated precision may be a hundred times
   * slower.
   */
  async warmUp(quick: boolean): Promise<void> {
    for (const [side, child] of this.#children) {
      await child.ready();
      for (const precision of precisions) {
        let size = 256;
        while (
          size < (quick ? 512 : largest) &&
          (await child.multiply(size, precision)).seconds < enoughSeconds
        ) {
          size *= 2;
        }
        this.#sizes.set(`${side} ${precision}`, size);
      }
    }
  }

  async turn(): Promise<void> {
    for (const [side, child] of this.#children) {
      for (const precision of precisions) {
        const size = this.#sizes.get(`${side} ${precision}`)!;
        for (let time = 0; time < repeats; time++) {
          const { seconds } = await child.multiply(size, precision);
          this.peaks[precision] = Math.max(this.peaks[precision] ?? 0, (2 * size ** 3) / seconds);
        }
      }
    }
  }

  end(): void {
    for (const [, child] of this.#children) child.end();
  }
}

import { wordStream } from "../../src/base/index.js";

/** Tells whether the long form was asked for: `npm run test:hard -- --long`. */
export const isLong = process.env.SQA_HARD === "long";

/** Number of cases: of the short form, which belongs to the checks, and of the long one, by hand. */
export const amount = (short: number, long: number): number => (isLong ? long : short);

/** Source of random choices that depend on a seed alone. */
export class Chance {
  readonly #word: () => number;

  constructor(seed: number) {
    this.#word = wordStream(seed);
  }

  /** Returns a whole number in 0 .. `count` - 1. */
  int(count: number): number {
    return this.#word() % count;
  }

  /** Returns a number in [0, 1). */
  share(): number {
    return this.#word() / 2 ** 32;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!;
  }
}

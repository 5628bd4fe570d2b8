import { createHash } from "node:crypto";
import { philox4x32, type Seed } from "./philox.js";

export type { Seed } from "./philox.js";

/**
 * Throws unless `seed` is what a user may give: an integer from 0 to 2^53 - 1. `name` is the argument's name.
 */
export function checkSeed(seed: number, name = "seed"): void {
  const accepted = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;
  if (typeof seed !== "number") throw new TypeError(`${name} must be ${accepted}, not ${typeof seed}`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`${name} must be ${accepted}, not ${seed}`);
}

function isWord(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

/** The two words of a seed given as a number or as words; a number under 2^32 is its own low word. */
export function toSeed(seed: number | Seed): Seed {
  if (typeof seed === "object" && seed !== null) {
    if (isWord(seed.low) && isWord(seed.high)) return { low: seed.low, high: seed.high };
    throw new RangeError(`seed words must be integers in [0, ${2 ** 32 - 1}], not ${JSON.stringify(seed)}`);
  }
  checkSeed(seed);
  return { low: seed >>> 0, high: Math.floor(seed / 2 ** 32) };
}

/**
 * The seed of one purpose: the same for the same arguments, unrelated to every other purpose's.
 *
 * First 8 bytes, little-endian, of the SHA-256 of the UTF-8 JSON text `[low,high,purpose...]` without spaces.
 * JSON keeps `("a", "b")` apart from `("ab")`, and `1` from `"1"`. Committed results depend on this encoding:
 * it must not change. Numbers in `purpose` must be finite.
 */
export function deriveSeed(seed: number | Seed, ...purpose: readonly (string | number)[]): Seed {
  const { low, high } = toSeed(seed);
  for (const part of purpose) {
    if (typeof part === "string" || Number.isFinite(part)) continue;
    throw new TypeError(`purpose must be made of strings and finite numbers, not ${String(part)}`);
  }
  const digest = createHash("sha256")
    .update(JSON.stringify([low, high, ...purpose]))
    .digest();
  return { low: digest.readUInt32LE(0), high: digest.readUInt32LE(4) };
}

/**
 * An endless source of unsigned 32-bit words: the words of the Philox blocks 0, 1, 2, ... of a seed, in
 * order.
 */
export function wordStream(seed: number | Seed): () => number {
  const { low, high } = toSeed(seed);
  let next = 0;
  let block = philox4x32([0, 0, 0, 0], [low, high]);
  return () => {
    const word = next % 4;
    if (word === 0) block = philox4x32([(next / 4) >>> 0, Math.floor(next / 2 ** 34), 0, 0], [low, high]);
    next++;
    return block[word]!;
  };
}

/**
 * The integers 0 .. count - 1 in an order that depends on the seed alone, every order being equally likely.
 *
 * Fisher-Yates from the end; words that would favor small remainders are drawn again. `count` is at most 2^31
 * - 1.
 */
export function permutation(count: number, seed: number | Seed): Int32Array {
  if (!Number.isInteger(count) || count < 0 || count >= 2 ** 31) {
    throw new RangeError(`count must be an integer in [0, ${2 ** 31 - 1}], not ${count}`);
  }
  const word = wordStream(seed);
  const order = new Int32Array(count);
  for (let index = 0; index < count; index++) order[index] = index;
  for (let last = count - 1; last > 0; last--) {
    const choices = last + 1;
    const limit = 2 ** 32 - (2 ** 32 % choices);
    let drawn = word();
    while (drawn >= limit) drawn = word();
    const other = drawn % choices;
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}

import { describe, expect, test } from "vitest";
import { checkSeed, deriveSeed, permutation, toSeed, wordStream } from "../../src/base/index.js";

describe("toSeed", () => {
  test("splits a number into its words and keeps words", () => {
    expect(toSeed(5)).toEqual({ low: 5, high: 0 });
    expect(toSeed(Number.MAX_SAFE_INTEGER)).toEqual({ low: 0xffffffff, high: 0x1fffff });
    expect(toSeed({ low: 1, high: 2 })).toEqual({ low: 1, high: 2 });
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", (seed) => {
    const message = `seed must be an integer from 0 to 9007199254740991, not ${seed}`;
    expect(() => toSeed(seed)).toThrow(new RangeError(message));
    expect(() => checkSeed(seed)).toThrow(new RangeError(message));
  });

  test("names the argument, and refuses other kinds", () => {
    expect(() => checkSeed("1" as unknown as number, "--seed")).toThrow(
      new TypeError("--seed must be an integer from 0 to 9007199254740991, not string"),
    );
    expect(() => toSeed(null as unknown as number)).toThrow(TypeError);
    expect(() => toSeed({ low: -1, high: 0 })).toThrow(RangeError);
  });
});

describe("deriveSeed", () => {
  // Made with Python: hashlib.sha256('[5,0,"shuffle",3]'.encode()).digest()[:8], two little-endian words.
  test.each([
    [deriveSeed(0), { low: 0xab12583d, high: 0x76114cc8 }],
    [deriveSeed(5, "shuffle", 3), { low: 0x1b024e83, high: 0x96577da1 }],
    [deriveSeed(Number.MAX_SAFE_INTEGER, 'é"\\', 0.5), { low: 0x92d51806, high: 0xe81812e7 }],
  ])("is the documented hash", (seed, expected) => expect(seed).toEqual(expected));

  test("keeps purposes apart however their parts are joined", () => {
    const seeds = [
      deriveSeed(1, "a", "b"),
      deriveSeed(1, "ab"),
      deriveSeed(1, "b", "a"),
      deriveSeed(1, "a,b"),
      deriveSeed(1, 'a","b'),
      deriveSeed(1, 12),
      deriveSeed(1, "12"),
      deriveSeed(1, 1, 2),
      deriveSeed(2, "a", "b"),
      deriveSeed({ low: 1, high: 1 }, "a", "b"),
    ];
    expect(new Set(seeds.map(({ low, high }) => `${low}/${high}`)).size).toBe(seeds.length);
    expect(deriveSeed({ low: 1, high: 0 }, "a", "b")).toEqual(seeds[0]);
  });

  test("refuses a purpose that JSON cannot hold", () => {
    expect(() => deriveSeed(1, Number.NaN)).toThrow(
      new TypeError("purpose must be made of strings and finite numbers, not NaN"),
    );
  });
});

describe("wordStream", () => {
  test("yields the words of the blocks 0, 1, ... in order", () => {
    const word = wordStream(0);
    // The first four are Random123's known answer for counter 0 and key 0.
    expect([word(), word(), word(), word()]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(new Set(Array.from({ length: 1000 }, word)).size).toBe(1000);
  });
});

describe("permutation", () => {
  test("is the one that a Python program of the same description gives", () => {
    expect([...permutation(12, { low: 7, high: 9 })]).toEqual([7, 5, 4, 3, 9, 6, 8, 1, 2, 11, 10, 0]);
  });

  test.each([0, 1, 2, 5000])("holds each of %i indices once", (count) => {
    const order = permutation(count, 3);
    expect(order).toHaveLength(count);
    expect(order.slice().sort()).toEqual(Int32Array.from({ length: count }, (_, index) => index));
  });

  test("draws each of the 24 orders of four equally often", () => {
    const draws = 4800;
    const counts = new Map<string, number>();
    for (let draw = 0; draw < draws; draw++) {
      const order = permutation(4, deriveSeed(1, "orders", draw)).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const expected = draws / 24;
    const chiSquare = [...counts.values()].reduce(
      (sum, count) => sum + (count - expected) ** 2 / expected,
      0,
    );
    expect(counts.size).toBe(24);
    // 23 degrees of freedom: exceeded by chance with probability 1e-6.
    expect(chiSquare).toBeLessThan(72);
  });

  test.each([-1, 1.5, 2 ** 31])("refuses a count of %s", (count) => {
    expect(() => permutation(count, 0)).toThrow(`count must be an integer in [0, 2147483647], not ${count}`);
  });
});

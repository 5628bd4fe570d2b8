import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countedUniform, type PhiloxBlock, philox4x32, roundingUniform } from "../../src/base/philox.js";

const words = (text: string) => text.split(" ").map((word) => Number.parseInt(word, 16));

/** The same function in arithmetic of unlimited width, straight from the paper's definition. */
function philoxBig(counter: readonly number[], key: readonly number[]): number[] {
  const mask = 0xffffffffn;
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key.map(BigInt) as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return [c0, c1, c2, c3].map(Number);
}

describe("philox4x32", () => {
  // kat_vectors of the Random123 distribution: counter, key, result.
  test.each([
    ["00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
  ])("gives the published words for counter %s", (counter, key, expected) => {
    const block = philox4x32(words(counter) as unknown as PhiloxBlock, words(key) as [number, number]);
    expect(block).toEqual(words(expected));
  });

  test("equals the definition in big integers", () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(philox4x32(counter, key)).toEqual(philoxBig(counter, key));
      }),
    );
  });
});

describe("countedUniform", () => {
  const seed = { low: 0xa4093822, high: 0x299f31d0 };
  const key = { image: 0x85a308d3, draw: 0x13198a2e, stream: 0x03707344 };

  test("is the upper 24 bits of the published words, in the documented order", () => {
    const first = 4 * 0x243f6a88;
    const uniforms = [0, 1, 2, 3].map((offset) => countedUniform(seed, key, first + offset));
    expect(uniforms).toEqual([0xd16cfe, 0x94fdcc, 0x5001e4, 0x24126e].map((bits) => bits / 2 ** 24));
  });

  test("is exact in float32 and lies in [0, 1), evenly", () => {
    const uniforms = Array.from({ length: 4096 }, (_, element) => countedUniform(seed, key, element));
    expect(uniforms.every((u) => u >= 0 && u < 1 && Math.fround(u) === u)).toBe(true);
    const mean = uniforms.reduce((sum, u) => sum + u, 0) / uniforms.length;
    // Hoeffding: further off than this with probability under 1e-9.
    expect(Math.abs(mean - 0.5)).toBeLessThan(Math.sqrt(Math.log(2e9) / (2 * uniforms.length)));
  });

  test.each([
    ["stream", { ...key, stream: -1 }, 0, "stream must be an integer in [0, 4294967295], not -1"],
    ["draw", { ...key, draw: 0.5 }, 0, "draw must be an integer in [0, 4294967295], not 0.5"],
    ["image", { ...key, image: 2 ** 32 }, 0, "image must be an integer in [0, 4294967295], not 4294967296"],
    ["element", key, 2 ** 34, "element must be an integer in [0, 17179869183], not 17179869184"],
  ])("refuses a wrong %s", (_, noise, element, message) => {
    expect(() => countedUniform(seed, noise, element)).toThrow(new RangeError(message));
  });
});

describe("roundingUniform", () => {
  const seed = { low: 0xa4093822, high: 0x299f31d0 };
  const key = { image: 0x85a308d3, draw: 0x13198a2e, stream: 0x03707344 };

  test("is the halves of the published words: the low ones first, the high ones for the image's second half", () => {
    const block = 0x243f6a88;
    const elements = 8 * (block + 1);
    const halves = (first: number) =>
      [0, 1, 2, 3].map((offset) => roundingUniform(seed, key, first + offset, elements) * 2 ** 16 - 0.5);
    // The words are d16cfe09, 94fdcceb, 5001e420, 24126ea1.
    expect(halves(4 * block)).toEqual([0xfe09, 0xcceb, 0xe420, 0x6ea1]);
    expect(halves(4 * (block + 1) + 4 * block)).toEqual([0xd16c, 0x94fd, 0x5001, 0x2412]);
  });

  test("gives an image of any size each half once", () => {
    const wide = Array.from({ length: 24 }, (_, e) => roundingUniform(seed, key, e, 24));
    // 21 elements: 12 low halves and the first 9 high ones.
    expect(Array.from({ length: 21 }, (_, e) => roundingUniform(seed, key, e, 21))).toEqual(
      wide.slice(0, 21),
    );
    expect(new Set(wide).size).toBe(24);
  });

  test("is even, and independent of the element that shares its word and of its neighbor (chi-square)", () => {
    const elements = 16_384;
    const bins = 16;
    const values = Array.from({ length: elements }, (_, e) => roundingUniform(seed, key, e, elements));
    const chiSquare = (other: (e: number) => number) => {
      const counts = new Array<number>(bins * bins).fill(0);
      for (const [e, u] of values.entries()) {
        counts[Math.floor(u * bins) * bins + Math.floor(values[other(e) % elements]! * bins)]!++;
      }
      const expected = elements / counts.length;
      return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    };
    // 255 degrees of freedom: mean 255, standard deviation 22.6; each pair is counted from both ends where it
    // shares a word.
    for (const [other, factor] of [
      [(e: number) => e + 1, 1],
      [(e: number) => e + 4, 1],
      [(e: number) => e + elements / 2, 2],
    ] as const) {
      expect(chiSquare(other) - 255).toBeLessThan(5 * 22.6 * Math.sqrt(factor));
    }
  });

  test("refuses an element outside the image", () => {
    expect(() => roundingUniform(seed, key, 5, 5)).toThrow("element must be an integer in [0, 4], not 5");
  });
});

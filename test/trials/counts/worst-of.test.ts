import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../src/base/index.js";
import { countedUniform, imageIdRange, scope } from "../../../src/engine/index.js";
import { Answers, worstEveryDrawOf, worstOf, worstVoteOf } from "../../../src/trials/index.js";

const seed = deriveSeed(0, "worst of");

/** Answers of images in a single draw. */
function single(right: readonly number[]): Answers {
  const made = new Answers(right.length, 1);
  made.halves[0].set(right);
  return made;
}

/** Answers of images in 10 draws, from their correct counts in the even and in the odd ones. */
function answers(counts: readonly (readonly [even: number, odd: number])[]): Answers {
  const made = new Answers(counts.length, 10);
  counts.forEach(([even, odd], i) => {
    made.halves[0][i] = even;
    made.halves[1][i] = odd;
    made.votes[0][i] = even > 2 ? 1 : 0;
    made.votes[1][i] = odd > 2 ? 1 : 0;
  });
  return made;
}

/** Answers of images to which a coin of two sides is the network, right with probability p. */
function coinAnswers(images: number, draws: number, p: number, row: number): Answers {
  const made = new Answers(images, draws);
  const noise = { seed: deriveSeed(seed, row), draw: 0, imageIds: imageIdRange(0, images) };
  const tosses = scope(() => countedUniform(noise, 0, [draws]).lt(p).to("float32").toNumbers());
  for (let i = 0; i < images; i++) {
    for (let draw = 0; draw < draws; draw++) made.halves[draw % 2]![i]! += tosses[i * draws + draw]!;
    for (const half of [0, 1]) made.votes[half]![i] = made.halves[half]![i]! > draws / 4 ? 1 : 0;
  }
  return made;
}

describe("worstOf", () => {
  it("chooses by one half of the draws and counts in the other", () => {
    const first = answers([
      [0, 5],
      [5, 5],
      [1, 1],
    ]);
    const second = answers([
      [4, 2],
      [0, 1],
      [5, 5],
    ]);
    // Image 0: the even draws choose the first, whose odd ones count 5; the odd ones choose the second, whose
    // even ones count 4.
    expect([...worstOf([first, second], true).correct]).toEqual([9, 1, 2]);
  });

  it("is never above a row that is lower as a whole", () => {
    const low = answers([
      [2, 3],
      [3, 2],
    ]);
    const noisy = answers([
      [1, 5],
      [5, 1],
    ]);
    // Chosen by halves: [noisy odd 5 + low even 2] and [low odd 2 + noisy even 5], 14 in all; low alone has
    // 10.
    expect([...worstOf([noisy, low], true).correct]).toEqual([5, 5]);
  });

  it("takes the lowest row as a whole by half the draws as well", () => {
    // The even draws choose the first, whose odd ones count 4 + 4; the odd ones choose the second, whose even
    // ones count 3 + 3.
    const first = answers([
      [2, 4],
      [2, 4],
    ]);
    const second = answers([
      [3, 1],
      [3, 1],
    ]);
    expect([...worstOf([first, second], true).correct]).toEqual([7, 7]);
  });

  it("reports a coin as what it is, however many attacks it withstood", () => {
    const rows = Array.from({ length: 60 }, (_, row) => coinAnswers(200, 100, 0.7, row));
    const left = worstOf(rows, true).correct.reduce((sum, count) => sum + count, 0) / (200 * 100);
    // The share of 20,000 tosses has a standard deviation of 0.32 points; the least of 60 such shares is 0.75
    // points low.
    expect(Math.abs(left - 0.7)).toBeLessThan(0.01);
    const lowest = Math.min(
      ...rows.map((row) => row.correct.reduce((sum, count) => sum + count, 0) / (200 * 100)),
    );
    expect(lowest).toBeLessThan(0.695);
  });

  it("is the least of each image for a deterministic network", () => {
    expect([...worstOf([single([1, 1, 0]), single([1, 0, 1])], false).correct]).toEqual([1, 0, 0]);
  });

  it("refuses a single draw of a randomized network, whose least is low by luck", () => {
    const refused = "a randomized model must answer in at least 2 draws, not 1";
    expect(() => worstOf([single([1, 0])], true)).toThrow(`worstOf: ${refused}`);
    expect(() => worstVoteOf([single([1, 0])], seed)).toThrow(`worstVoteOf: ${refused}`);
    expect(() => worstEveryDrawOf([single([1, 0])])).toThrow(`worstEveryDrawOf: ${refused}`);
  });

  it("refuses to choose among no rows", () => {
    expect(() => worstOf([], true)).toThrow("worstOf needs at least one row");
  });
});

describe("worstVoteOf", () => {
  it("chooses by one half of the draws, and lets the other vote", () => {
    const first = answers([
      [0, 5],
      [5, 5],
    ]);
    const second = answers([
      [4, 2],
      [0, 1],
    ]);
    // Image 0: both votes are right. Image 1: the even draws choose the second, whose odd vote is wrong; so
    // is the even one.
    expect(worstVoteOf([first, second], seed).accuracy).toBe(0.5);
  });

  it("does not make a close vote look lost, however many attacks it withstood", () => {
    const rows = Array.from({ length: 60 }, (_, row) => coinAnswers(200, 100, 0.55, row));
    // Right with probability 0.55 in each of 50 draws: P(Bin(50, 0.55) > 25) = 0.716.
    const { accuracy, low, high } = worstVoteOf(rows, seed);
    expect(Math.abs(accuracy - 0.716)).toBeLessThan(0.06);
    expect(low).toBeLessThan(accuracy);
    expect(high).toBeGreaterThan(accuracy);
  });

  it("refuses to choose among no rows", () => {
    expect(() => worstVoteOf([], seed)).toThrow("worstVoteOf needs at least one row");
  });
});

describe("worstEveryDrawOf", () => {
  const first = answers([
    [5, 5],
    [5, 5],
    [0, 0],
    [0, 0],
  ]);
  const second = answers([
    [5, 4],
    [5, 4],
    [0, 0],
    [0, 0],
  ]);
  const third = answers([
    [5, 5],
    [4, 5],
    [0, 1],
    [1, 0],
  ]);

  it("counts images that are right in all draws of the attack that the other half chose for each", () => {
    // Image 0: by even draws all are alike and the first stands, 5 of 5; by odd ones the second, 5 of 5:
    // right in every draw. Image 1: the even draws choose the third, 5 of 5, the odd ones the second, 5 of 5.
    expect(worstEveryDrawOf([first, second, third]).accuracy).toBe(0.5);
    expect(worstEveryDrawOf([second]).accuracy).toBe(0);
  });

  it("goes by each image, whichever way of choosing is the lower as a whole", () => {
    // By image: the halves choose the other row each and count 5 + 5; one row for all, the flat one, has
    // fewer answers.
    const flat = answers([
      [4, 4],
      [0, 0],
    ]);
    const split = answers([
      [3, 5],
      [5, 3],
    ]);
    const mirrored = answers([
      [5, 3],
      [3, 5],
    ]);
    expect(worstOf([split, mirrored, flat], true).correct).toEqual(Uint16Array.of(8, 0));
    expect(worstEveryDrawOf([split, mirrored, flat]).accuracy).toBe(0.5);
  });
});

import { describe, expect, it } from "vitest";
import { deriveSeed, TensorError } from "../../src/base/index.js";
import {
  countedUniform,
  imageIdRange,
  setThreads,
  type Tensor,
  tensor,
  threads,
  weightedDraws,
} from "../../src/engine/index.js";

const noise = { seed: deriveSeed(3, "weighted draws"), draw: 0, imageIds: imageIdRange(0, 5) };
const uniforms = (stream: number, count: number) => countedUniform(noise, stream, [count]);
/** A third of the weights is 0, and a few are a thousand times the others. */
const weights = (count: number): Tensor => {
  const sizes = uniforms(1, count).mul(uniforms(2, count).gt(0.33));
  return sizes.mul(uniforms(3, count).gt(0.99).mul(1000).add(1));
};

/** Elements (N, E) that are drawn, by subtracting one weight after the other. */
function oneByOne(rows: readonly number[][], points: readonly number[][]): boolean[][] {
  return rows.map((row, n) => {
    const drawn = row.map(() => false);
    const total = row.reduce((sum, weight) => sum + weight, 0);
    for (const uniform of points[n]!) {
      let sum = 0;
      const found = row.findIndex((weight) => {
        sum += weight;
        return sum > uniform * total;
      });
      drawn[found === -1 ? row.length - 1 : found] = true;
    }
    return drawn;
  });
}

const rowsOf = (of: Tensor): number[][] => {
  const [count, length] = of.shape as [number, number];
  const all = of.toNumbers();
  return Array.from({ length: count }, (_, i) => all.slice(i * length, (i + 1) * length));
};
const truths = (of: Tensor) => rowsOf(of).map((row) => row.map(Boolean));

describe("weightedDraws", () => {
  it.each([
    [1, 3],
    [7, 40],
    [500, 1],
    [500, 500],
    [3000, 3000],
  ])("finds of %d elements those that %d draws take, one by one", (elements, draws) => {
    const [of, by] = [weights(elements), uniforms(4, draws)];
    const expected = oneByOne(rowsOf(of), rowsOf(by));
    expect(truths(weightedDraws(of, by))).toEqual(expected);
    // By binary search, as on a GPU.
    expect(truths(weightedDraws(of.to("float64"), by))).toEqual(expected);
  });

  it("never draws an element of weight 0, and the same on any number of threads", () => {
    const [of, by] = [weights(400), uniforms(5, 4000)];
    const drawn = weightedDraws(of, by);
    expect(drawn.logicalAnd(of.eq(0)).any().item()).toBe(0);
    const before = threads();
    setThreads(3);
    const again = weightedDraws(of, by);
    setThreads(before);
    expect(again.toNumbers()).toEqual(drawn.toNumbers());
  });

  it("ends at once where sums are 0 or not finite, with the last element", () => {
    const odd = [0, Number.NaN, Number.POSITIVE_INFINITY];
    for (const value of odd) {
      const of = tensor([value, value, value], [1, 3]);
      expect(weightedDraws(of, tensor([0, 0.999], [1, 2])).toNumbers()).toEqual([0, 0, 1]);
    }
  });

  it("refuses what has not a row for each row, or no element", () => {
    const three = tensor([1, 2, 3], [1, 3]);
    expect(() => weightedDraws(three, tensor([0, 0], [2, 1]))).toThrow(TensorError);
    expect(() => weightedDraws(three.flatten(0), tensor([0], [1, 1]))).toThrow("as many rows");
    expect(() => weightedDraws(tensor([], [1, 0]), tensor([0], [1, 1]))).toThrow("an element");
  });
});

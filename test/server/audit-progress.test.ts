import { describe, expect, it } from "vitest";
import { progressOf, secondsLeft } from "../../src/server/audits/audit-detail.js";
import type { KeptBatch } from "../../src/server/audits/batch-files.js";

function batch(id: string, first: number, correct: number[], seconds = 1): KeptBatch {
  return { id, first, correct, seconds };
}

const trials = (...batches: KeptBatch[]) => {
  const found = new Map<string, KeptBatch[]>();
  for (const one of batches) found.set(one.id, [...(found.get(one.id) ?? []), one]);
  return found;
};

describe("progress of an audit", () => {
  it("is the worst case over images, attack by attack", () => {
    const { lines, fallen, clean, worst } = progressOf(
      trials(
        batch("clean", 0, [1, 1]),
        batch("clean", 2, [1, 0]),
        batch("fgsm", 0, [1, 0]),
        batch("fgsm", 2, [1, 0]),
        batch("pgd", 0, [0, 1]),
      ),
    );
    // By hand: clean 3 of 4; FGSM fells image 1; PGD fells image 0 so far.
    expect(clean).toBe(0.75);
    expect(lines.map((line) => line.worst)).toEqual([0.75, 0.5, 0.25]);
    expect(lines.map(({ done, accuracy }) => [done, accuracy])).toEqual([
      [4, 0.75],
      [4, 0.5],
      [2, 0.5],
    ]);
    expect(worst).toBe(0.25);
    expect(fallen).toEqual([
      { position: 0, by: "pgd" },
      { position: 1, by: "fgsm" },
    ]);
  });

  it("leaves out answers of other players, and shares of draws count as such", () => {
    const { lines, worst, fallen } = progressOf(
      trials(
        batch("clean", 0, [1, 0.9]),
        batch("pgd on surrogate:x shown to surrogate:x", 0, [0, 0]),
        batch("pgd", 0, [0.8, 0.4]),
      ),
    );
    expect(lines.map((line) => line.worst)).toEqual([0.95, null, 0.6000000000000001]);
    expect(worst).toBeCloseTo(0.6, 12);
    expect(fallen).toEqual([{ position: 1, by: "pgd" }]);
  });

  it("tells the time left by the plan and by how it turned out", () => {
    const plan = {
      images: 100,
      batchSize: 50,
      trials: [
        { id: "a", shownTo: "model", batchSeconds: 2 },
        { id: "b", shownTo: "model", batchSeconds: 10 },
      ],
    };
    expect(secondsLeft(plan, new Map())).toBe(24);
    // Half as slow as planned so far: of a one batch is left, of b both.
    expect(secondsLeft(plan, trials(batch("a", 0, [1], 4)))).toBe(44);
    const all = trials(...["a", "b"].flatMap((id) => [batch(id, 0, [1]), batch(id, 50, [1])]));
    expect(secondsLeft(plan, all)).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { wordStream } from "../../src/base/index.js";
import { secondsLeft } from "../../src/server/audits/audit-detail.js";
import type { KeptBatch } from "../../src/server/audits/batch-files.js";
import { progressOf } from "../../src/server/audits/worst-so-far.js";
import { Counts, worstOf } from "../../src/trials/index.js";

function batch(id: string, first: number, even: number[], seconds = 1): KeptBatch {
  return { id, first, even, odd: even.map(() => 0), draws: 1, seconds };
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
      new Set(["clean", "fgsm", "pgd"]),
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

  it("counts an image once that batches of two sizes hold", () => {
    const { lines, clean } = progressOf(
      trials(batch("clean", 0, [1, 1, 0, 1]), batch("clean", 0, [1, 1]), batch("clean", 2, [0, 1])),
      new Set(["clean"]),
    );
    expect(lines).toMatchObject([{ done: 4, accuracy: 0.75, worst: 0.75, seconds: 3 }]);
    expect(clean).toBe(0.75);
  });

  it("leaves out what goes beyond the radius, or asks another player", () => {
    const { lines, worst, fallen } = progressOf(
      trials(
        batch("clean", 0, [1, 1]),
        batch("pgd(epsilon=9)", 0, [0, 0]),
        batch("pgd on surrogate:x shown to surrogate:x", 0, [0, 0]),
        batch("pgd", 0, [1, 0]),
      ),
      new Set(["clean", "pgd"]),
    );
    expect(lines.map((line) => line.worst)).toEqual([1, null, null, 0.5]);
    expect(worst).toBe(0.5);
    expect(fallen).toEqual([{ position: 1, by: "pgd" }]);
  });

  it("takes no luck for an attack: of many attacks on a coin the worst is the coin", () => {
    const images = 400;
    const word = wordStream(1);
    const toss = () => Array.from({ length: 50 }, () => Number(word() % 10 < 7)).reduce((a, b) => a + b, 0);
    const side = () => Array.from({ length: images }, toss);
    const attacks = Array.from({ length: 20 }, (_, i) => ({
      ...batch(`a${i}`, 0, side()),
      odd: side(),
      draws: 100,
    }));
    const { worst, lines } = progressOf(trials(...attacks), new Set(attacks.map(({ id }) => id)));
    // 40,000 tosses of 0.7: three standard deviations are 0.007. The lowest of 20 would be near 0.6.
    expect(Math.abs(worst! - 0.7)).toBeLessThan(0.007);
    expect(Math.abs(lines[0]!.accuracy! - 0.7)).toBeLessThan(0.007);
  });

  it("is that of the audit itself once its trials are whole", () => {
    const word = wordStream(2);
    const images = 30;
    const side = (share: number) =>
      Array.from({ length: images }, () =>
        Array.from({ length: 5 }, () => Number(word() % 100 < share)).reduce((a, b) => a + b, 0),
      );
    // Close attacks, between which half of the draws chooses poorly: one for all images is lower.
    for (const shares of [
      [70, 40, 40, 40],
      [90, 60, 10],
      [50, 49, 48],
    ]) {
      const rows = shares.map((share, i) => ({
        ...batch(i === 0 ? "clean" : `a${i}`, 0, side(share)),
        odd: side(share),
        draws: 10,
      }));
      const counts = rows.map(({ even, odd }) => {
        const row = new Counts(images, 10);
        row.halves[0].set(even);
        row.halves[1].set(odd);
        return row;
      });
      const { lines } = progressOf(trials(...rows), new Set(rows.map(({ id }) => id)));
      lines.forEach(({ worst }, i) => {
        expect(worst).toBeCloseTo(worstOf(counts.slice(0, i + 1), true).mean(), 6);
      });
    }
  });

  it("tells the time left by the plan and by how it turned out", () => {
    const plan = {
      images: 100,
      batchSize: 50,
      trials: [
        { id: "a", inBall: true, batchSeconds: 2 },
        { id: "b", inBall: true, batchSeconds: 10 },
      ],
    };
    expect(secondsLeft(plan, new Map())).toBe(24);
    // Half as slow as planned so far: of a one batch is left, of b both.
    expect(secondsLeft(plan, trials(batch("a", 0, [1], 4)))).toBe(44);
    const all = trials(...["a", "b"].flatMap((id) => [batch(id, 0, [1]), batch(id, 50, [1])]));
    expect(secondsLeft(plan, all)).toBe(0);
  });
});

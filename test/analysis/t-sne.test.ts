import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { affinities, attraction, type TSneProgress, tSne } from "../../src/analysis/t-sne.js";
import { type Tensor, tensor } from "../../src/engine/index.js";
import { liveCount } from "../live-count.js";

interface Golden {
  perplexity: number;
  /** The first point's. */
  affinities: number[];
  norm: number;
  divergence: number;
  gradient: number[];
  gradientNorm: number;
}
const golden = JSON.parse(readFileSync(new URL("../golden/t-sne.json", import.meta.url), "utf8")) as Golden;

const [count, dimensions] = [40, 5];
/** Two groups of points. */
const points = tensor(
  Float64Array.from(
    { length: count * dimensions },
    (_, i) => Math.sin(1.7 * i) + (i % dimensions === 0 && i < (count * dimensions) / 2 ? 3 : 0),
  ),
  [count, dimensions],
);
const places = tensor(
  Float64Array.from({ length: 2 * count }, (_, i) => Math.cos(2.3 * i)),
  [count, 2],
);

function run(of: Tensor, options: Parameters<typeof tSne>[1]): { reports: TSneProgress[]; places: number[] } {
  const steps = tSne(of, options);
  const reports: TSneProgress[] = [];
  for (let step = steps.next(); ; step = steps.next()) {
    if (!step.done) reports.push(step.value);
    else {
      const found = step.value.toNumbers();
      step.value.dispose();
      return { reports, places: found };
    }
  }
}

describe("t-SNE", () => {
  it("has scikit-learn's affinities", () => {
    const p = affinities(points, golden.perplexity);
    for (const [j, value] of p.select(0, 0).toNumbers().entries()) {
      expect(Math.abs(value - golden.affinities[j]!), String(j)).toBeLessThan(2e-4 * value + 1e-10);
    }
    expect(p.square().sum().sqrt().item() / golden.norm).toBeCloseTo(1, 4);
    expect(p.sum().item()).toBeCloseTo(1, 12);
  });

  it("has scikit-learn's divergence and gradient", () => {
    const { gradient, divergence } = attraction(affinities(points, golden.perplexity), places);
    expect(divergence().item() / golden.divergence).toBeCloseTo(1, 4);
    for (const [i, value] of golden.gradient.entries()) {
      expect(gradient.toNumbers()[i]! / value, String(i)).toBeCloseTo(1, 3);
    }
    expect(gradient.square().sum().sqrt().item() / golden.gradientNorm).toBeCloseTo(1, 4);
  });

  it("keeps groups apart, whatever their place and however far they are", () => {
    const far = points.mul(1e3).add(1e4);
    for (const of of [points, far]) {
      const { places: found, reports } = run(of, { perplexity: 8, iterations: 500 });
      expect(reports.at(-1)!.divergence).toBeLessThan(reports[0]!.divergence);
      expect(reports.at(-1)).toMatchObject({ iteration: 500, iterations: 500 });
      const at = (i: number) => [found[2 * i]!, found[2 * i + 1]!] as const;
      const apart = (i: number, j: number) => Math.hypot(at(i)[0] - at(j)[0], at(i)[1] - at(j)[1]);
      const nearest = (i: number) =>
        Array.from({ length: count }, (_, j) => j)
          .filter((j) => j !== i)
          .sort((a, b) => apart(i, a) - apart(i, b))[0]!;
      const alike = Array.from({ length: count }, (_, i) => nearest(i) < count / 2 === i < count / 2);
      expect(alike.filter(Boolean).length).toBeGreaterThanOrEqual(count - 2);
    }
  });

  it("has the same places for the same seed, others for another, and leaves nothing behind", () => {
    const before = liveCount();
    const [one, same, other] = [0, 0, 1].map(
      (seed) => run(points, { perplexity: 5, iterations: 30, seed }).places,
    );
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    const stopped = tSne(points, { perplexity: 5 });
    stopped.next();
    stopped.return(places);
    expect(liveCount()).toBe(before);
  });

  it("says what points it takes", () => {
    const first = (of: Tensor, options = {}) => tSne(of, options).next();
    expect(() => first(points.flatten())).toThrow("points must have shape [N, D], not [200]");
    expect(() => first(points)).toThrow("more than 3 * perplexity, 90, not 40");
    expect(() => first(points.mul(Number.NaN), { perplexity: 5 })).toThrow("points must be finite numbers");
    expect(() => first(points, { perplexity: 0 })).toThrow('option "perplexity" cannot be 0');
    expect(() => first([[1, 2]] as unknown as Tensor)).toThrow("points must be a tensor");
  });
});

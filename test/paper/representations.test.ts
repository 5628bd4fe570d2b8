import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { liveTensors } from "../../src/engine/index.js";
import {
  type CellOutcome,
  figure2Chart,
  figure2Network,
  figure3Chart,
  figure3Network,
  representationCells,
  representationOf,
  runCells,
} from "../../src/paper/index.js";
import { renderSvg } from "../../src/report/chart.js";
import { trainConfig } from "../../src/training/index.js";

const options = { network: "small", preset: "short", epochs: 1, images: 100 } as const;
const runs = mkdtempSync(join(tmpdir(), "sqa-representations-"));
afterAll(() => rmSync(runs, { recursive: true }));

let outcomes: CellOutcome[];
beforeAll(async () => {
  const brief = { limit: 512, probeImages: 8, probes: ["fgsm(epsilon=0.1)"] };
  const cells = representationCells(options).map((cell) => ({
    ...cell,
    config: trainConfig({ ...cell.config, ...brief }),
  }));
  outcomes = [];
  for await (const event of runCells(cells, { runs })) if (event.type === "outcome") outcomes.push(event.outcome);
}, 120_000);

function placed(kind: "full" | "sqa", run: string) {
  const steps = figure2Network(kind, representationOf(run, options), 20);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

describe("figures of what networks make of images", () => {
  it("are of the twin's two networks, which differ in SQA alone", () => {
    const [full, sqa] = representationCells(options).map(({ config }) => config);
    expect({ ...full, sqa: null }).toEqual({ ...sqa, sqa: null });
    expect([full!.sqa, sqa!.sqa?.layers]).toEqual([null, { relu1: 1, relu2: 2 }]);
    expect(full!.method).toMatch(/^fgsm\(epsilon=0.3/);
  });

  it("see the penultimate layer of clean and attacked images", () => {
    const { labels, shown } = representationOf(outcomes[1]!.run, options);
    expect(labels.shape).toEqual([100]);
    for (const { activations, accuracy } of Object.values(shown)) {
      expect(activations.shape).toEqual([100, 128]);
      expect(activations.amin().item()).toBeGreaterThanOrEqual(0);
      expect(accuracy).toBeLessThanOrEqual(1);
    }
    // Attacked images are others, and PGD's are no easier than clean ones.
    expect(shown.pgd.activations.eq(shown.clean.activations).all().item()).toBe(0);
    expect(shown.pgd.accuracy).toBeLessThanOrEqual(shown.clean.accuracy);
  });

  it("place clean and attacked images, the same way each time, and tell whose neighbors they are", async () => {
    const networks = [placed("full", outcomes[0]!.run), placed("sqa", outcomes[1]!.run)];
    expect(placed("sqa", outcomes[1]!.run)).toEqual(networks[1]);
    for (const { places, labels, neighbors } of networks) {
      expect([places.clean!.length, places.pgd!.length, labels.length]).toEqual([100, 100, 100]);
      for (const share of Object.values(neighbors)) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(100);
      }
    }
    const svg = await renderSvg(figure2Chart(networks, options));
    for (const text of ["full precision", "SQA", "clean", "PGD 0.3"]) expect(svg).toContain(`>${text}</text>`);
  });

  it("show each unit's mean by class, as shares of the largest clean one", async () => {
    const networks = (["full", "sqa"] as const).map((kind, i) =>
      figure3Network(kind, representationOf(outcomes[i]!.run, options)),
    );
    for (const { means, moved } of networks) {
      expect(means.clean.map((row) => row.length)).toEqual(new Array(10).fill(128));
      expect(Math.max(...means.clean.flat())).toBe(1);
      expect(moved.clean).toBe(0);
      expect(moved.pgd).toBeGreaterThan(0);
      // A unit's strongest class never comes before that of the unit at its left, as far as rounded means can tell.
      const strongest = Array.from({ length: 128 }, (_, unit) => {
        const values = means.clean.map((row) => row[unit]!);
        const [first, second] = [...values].sort((a, b) => b - a);
        return first! - second! > 0.002 ? [values.indexOf(first!)] : [];
      }).flat();
      expect(strongest.length).toBeGreaterThan(20);
      expect(strongest).toEqual([...strongest].sort((a, b) => a - b));
    }
    expect(await renderSvg(figure3Chart(networks, options))).toContain("class");
  });

  it("leave no tensors behind but what they return", () => {
    const before = liveTensors().tensors;
    const { labels, shown } = representationOf(outcomes[0]!.run, options);
    for (const one of [labels, ...Object.values(shown).map(({ activations }) => activations)]) one.dispose();
    expect(liveTensors().tensors).toBeLessThanOrEqual(before);
  });
});

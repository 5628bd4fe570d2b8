import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { type Dataset, imagesOf, mnist, subset, TensorSplit } from "../../src/datasets/index.js";
import { sqa } from "../../src/defenses/index.js";
import { scope } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { collapse, figure2, figure3, overfitting, runTable, type TableEvent } from "../../src/paper/index.js";
import { representationOf } from "../../src/paper/representation/representation.js";
import { renderSvg } from "../../src/report/chart.js";
import { liveCount } from "../live-count.js";

const runs = mkdtempSync(join(tmpdir(), "sqa-representations-"));
afterAll(() => rmSync(runs, { recursive: true }));

/** The first images of MNIST: training on all of them would take a minute. */
function fewImages(): Dataset {
  const { train: whole, test: others, imageShape: shape, classNames: classes } = mnist();
  const [{ images, labels }, test] = [subset(whole, 1024), subset(others, 100)];
  return imagesOf({ images, labels, test, shape: [...shape], classes, name: "mnist-1024" });
}

const options = { preset: "mnist-short", epochs: 1, data: fewImages() } as const;
const model = small().build({ seed: 0, defenses: [sqa()] });
const plain = small().build({ seed: 0 });
afterAll(() => {
  for (const { module } of [model, plain]) module.dispose();
});

const seen = () => representationOf(model, mnist().test, { images: 100, device: "cpu" });

interface Network {
  readonly labels: number[];
  readonly places: Record<"clean" | "pgd", [number, number][]>;
  readonly neighbors: Record<string, number>;
  readonly means: Record<string, number[][]>;
  readonly moved: Record<string, number>;
  readonly measured: Record<string, { readonly mean: number; readonly images: number }>;
  readonly runs: { readonly epoch: number; readonly validation: { readonly attack: string }[] }[][];
}
const networksOf = ({ data }: { readonly data: object }) => (data as { networks: Network[] }).networks;

describe("the penultimate layer", () => {
  it("is that of clean images and of attacked ones", () => {
    using found = seen();
    expect(found.labels.shape).toEqual([100]);
    for (const activations of Object.values(found.activations)) {
      expect(activations.shape).toEqual([100, 128]);
      expect(activations.amin().item()).toBeGreaterThanOrEqual(0);
    }
    const { clean, pgd } = found.activations;
    expect(scope(() => pgd.eq(clean).all().item())).toBe(0);
  });

  it("is what the last layer makes logits of", () => {
    using found = representationOf(plain, mnist().test, { images: 20, device: "cpu" });
    const data = new TensorSplit(subset(mnist().test, 20));
    const worst = scope(() => {
      const { images, imageIds } = data.range(0, 20);
      const state = plain.module.state();
      const [weight, bias] = [state.get("fc2.weight")!.detach(), state.get("fc2.bias")!.detach()];
      const made = found.activations.clean.matmul(weight.permute([1, 0])).add(bias);
      const logits = plain.classifier().logits(images, { seed: deriveSeed(0), draw: 0, imageIds });
      return made.sub(logits).abs().amax().item();
    });
    data.dispose();
    expect(worst).toBeLessThan(1e-5);
  });

  it("leaves no tensors behind but what it returns", () => {
    const before = liveCount();
    seen()[Symbol.dispose]();
    expect(liveCount()).toBe(before);
  });
});

describe("figures of what networks make of images", () => {
  const images = { ...options, limit: 50 };

  it("place clean and attacked images, the same way each time, and tell whose neighbors they are", async () => {
    const events: TableEvent[] = [];
    const work = runTable(figure2, { ...images, iterations: 20 }, { runs });
    for await (const event of work) events.push(event);
    const result = await work;
    const networks = networksOf(result);
    const again = await runTable(figure2, { ...images, iterations: 20 }, { runs });
    expect(networksOf(again)).toEqual(networks);
    expect(networks).toHaveLength(2);
    for (const { places, labels, neighbors, measured } of networks) {
      expect([places.clean.length, places.pgd.length, labels.length]).toEqual([50, 50, 50]);
      expect([measured.clean!.images, measured.pgd!.images]).toEqual([50, 50]);
      for (const share of Object.values(neighbors)) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(100);
      }
    }
    expect(events.filter(({ type }) => type === "progress").at(-1)).toMatchObject({
      work: "t-SNE, SMALL, SQA",
      done: 20,
      total: 20,
    });
    const svg = await renderSvg(result.table.show(result.data).chart!);
    for (const text of ["SMALL, full precision", "SMALL, SQA", "clean", "PGD 0.3"])
      expect(svg).toContain(`>${text}</text>`);
  });

  it("show each unit's mean by class, as shares of the largest clean mean", async () => {
    const result = await runTable(figure3, images, { runs });
    for (const { means, moved } of networksOf(result)) {
      expect(means.clean!.map((row) => row.length)).toEqual(new Array(10).fill(128));
      expect(Math.max(...means.clean!.flat())).toBe(1);
      expect(moved.clean).toBe(0);
      expect(moved.pgd).toBeGreaterThan(0);
      // A unit's strongest class never comes before that of the unit at its left, as far as rounded means can
      // tell.
      const strongest = Array.from({ length: 128 }, (_, unit) => {
        const values = means.clean!.map((row) => row[unit]!);
        const [first, second] = [...values].sort((a, b) => b - a);
        return first! - second! > 0.002 ? [values.indexOf(first!)] : [];
      }).flat();
      expect(strongest.length).toBeGreaterThan(20);
      expect(strongest).toEqual([...strongest].sort((a, b) => a - b));
    }
    expect(await renderSvg(result.table.show(result.data).chart!)).toContain("class");
  });

  it("stop between two steps when they are aborted", async () => {
    const abort = new AbortController();
    const work = runTable(figure2, { ...images, iterations: 700 }, { runs, signal: abort.signal });
    let steps = 0;
    for await (const { type } of work) {
      if (type !== "progress") continue;
      steps++;
      abort.abort();
    }
    expect(steps).toBe(1);
    await expect(work).rejects.toThrow();
  });

  it("draw FGSM and PGD after each epoch, of as many seeds as each network has", async () => {
    const result = await runTable(overfitting, { ...options, seeds: 1 }, { runs });
    const networks = networksOf(result);
    expect(networks.map(({ runs: all }) => all.map((epochs) => epochs.map(({ epoch }) => epoch)))).toEqual([
      [[1]],
      [[1]],
    ]);
    const svg = await renderSvg(result.table.show(result.data).chart!);
    for (const name of ["SMALL, full precision", "SMALL, SQA"]) {
      for (const attack of ["FGSM", "PGD"]) expect(svg).toContain(`${name}, ${attack}`);
    }
    expect(result.notes[0]).toContain("of 1 seed on 1000 training images under fgsm at 0.3 and pgd(");
    const [full, sqa] = networks;
    const more = { networks: [full, { ...sqa, runs: [sqa!.runs[0], sqa!.runs[0]], seeds: [0, 1] }] };
    expect(result.table.show(more).notes[0]).toContain("of 1 and 2 seeds on");
  });

  it("draw a line for each seed, and tell what attacks leave at the end", async () => {
    const few = { data: options.data, model: small(), epsilon: 0.3, epochs: 1, seeds: 2 };
    const sizes = { limit: 40, attackLimit: 4, rows: ["fgsm"] };
    const result = await runTable(collapse, { ...few, ...sizes }, { runs });
    const { rows } = result.data as { rows: { key: string; runs: unknown[]; measured: object }[] };
    expect(rows.map(({ key }) => key)).toEqual(["fgsm-0.3"]);
    expect(rows[0]!.runs).toHaveLength(2);
    expect(Object.keys(rows[0]!.measured)).toEqual(["clean", "fgsm", "pgd", "autoattack"]);
    const { chart, table } = result.table.show(result.data);
    expect(table!.rows).toHaveLength(1);
    const svg = await renderSvg(chart!);
    const strokes = svg.match(/aria-roledescription="line mark"/g);
    expect(strokes).toHaveLength(4);
    const others = { rows: [{ ...rows[0]!, key: "n-fgsm-0.3", title: "N-FGSM" }] };
    const joined = result.table.join!(others, result.data) as typeof others;
    expect(joined.rows.map(({ key }) => key)).toEqual(["fgsm-0.3", "n-fgsm-0.3"]);
  });
});

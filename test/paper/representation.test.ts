import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "fast-png";
import { afterAll, describe, expect, it } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { type Dataset, imagesOf, mnist, subset, TensorSplit } from "../../src/datasets/index.js";
import { sqa } from "../../src/defenses/index.js";
import { countedUniform, imageIdRange, scope, tensor } from "../../src/engine/index.js";
import { type Model, resnet18, small } from "../../src/models/index.js";
import { neighborsOf } from "../../src/paper/figures/figure2.js";
import { activationMaps } from "../../src/paper/figures/figure3.js";
import { collapse, figure2, figure3, overfitting, runTable, type TableEvent } from "../../src/paper/index.js";
import { type Representation, representationOf } from "../../src/paper/representation/representation.js";
import { renderSvg } from "../../src/report/chart.js";
import { liveCount } from "../live-count.js";

const runs = mkdtempSync(join(tmpdir(), "sqa-representations-"));
afterAll(() => rmSync(runs, { recursive: true }));

/** The first images of MNIST: training on all of them would take a minute. */
function fewImages(): Dataset {
  const { train: whole, test: others, imageShape: shape, classNames: classes } = mnist();
  const [{ images, labels }, test] = [subset(whole, 1024), subset(others, 200)];
  return imagesOf({ images, labels, test, shape: [...shape], classes, name: "mnist-1024" });
}

const options = { preset: "mnist-short", epochs: 1, data: fewImages() } as const;
const model = small().build({ seed: 0, defenses: [sqa()] });
const plain = small().build({ seed: 0 });
afterAll(() => {
  for (const { module } of [model, plain]) module.dispose();
});

interface Chosen {
  readonly from?: Model;
  readonly images: number;
}

/** Penultimate layer of a model on MNIST, of which the work says how far it is. */
async function seen({ from = model, images }: Chosen): Promise<Representation> {
  const { signal } = new AbortController();
  const steps = representationOf(from, mnist(), { images, device: "cpu", work: "C&W", signal });
  for (let step = await steps.next(); ; step = await steps.next()) {
    if (step.done === true) return step.value!;
    expect(step.value).toMatchObject({ work: "C&W", total: images });
  }
}

interface Network {
  readonly title: string;
  readonly labels: number[];
  readonly config: { readonly method: string; readonly defenses: string[]; readonly limit: number | null };
  readonly places: Record<"clean" | "cw", [number, number][]>;
  readonly pictures: Record<"clean" | "cw", string>;
  readonly neighbors: Record<string, number>;
  readonly means: Record<string, number[][]>;
  readonly moved: number;
  readonly measured: Record<string, { readonly mean: number; readonly images: number }>;
  readonly runs: { readonly epoch: number; readonly validation: { readonly attack: string }[] }[][];
}
const networksOf = ({ data }: { readonly data: object }) => (data as { networks: Network[] }).networks;

const columns = ["(A) full precision, no defense", "(B) full precision + FGSM", "(C) SQA + FGSM"];

it("Figure 2 leaves an image itself out of its neighbors in both forms", () => {
  // Points of twelve classes, which an attack leaves where they are.
  const clean = countedUniform({ seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 12) }, 0, [3]);
  const labels = tensor(
    Array.from({ length: 12 }, (_, i) => i),
    [12],
    "int64",
  );
  expect(neighborsOf({ labels, activations: { clean, cw: clean } })).toEqual({ clean: 0, cw: 0 });
});

it("Figure 3 shows means below 0 as 0, also where all of them are", () => {
  const labels = tensor([0, 1], [2], "int64");
  const below = tensor([-1, -2, -3, -4], [2, 2]);
  const { means } = activationMaps({ labels, activations: { clean: below, cw: below } } as Representation);
  expect(means.clean).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

describe("the penultimate layer", () => {
  it("is that of clean images and of images under C&W", async () => {
    using found = await seen({ images: 260 });
    expect(found.labels.toNumbers()).toEqual([...mnist().test.labels.subarray(0, 260)]);
    for (const activations of Object.values(found.activations)) {
      expect(activations.shape).toEqual([260, 128]);
      expect(activations.amin().item()).toBeGreaterThanOrEqual(0);
    }
    const { clean, cw } = found.images;
    expect(clean.shape).toEqual([260, 1, 28, 28]);
    const change = scope(() => cw.sub(clean).abs().amax().item());
    expect(change).toBeLessThanOrEqual(0.3 + 1e-6);
    expect(change).toBeGreaterThan(0.25);
  });

  it("is what the last layer makes logits and answers of", async () => {
    using found = await seen({ from: plain, images: 20 });
    const data = new TensorSplit(subset(mnist().test, 20));
    const [worst, right] = scope(() => {
      const { images, imageIds } = data.range(0, 20);
      const state = plain.module.state();
      const [weight, bias] = [state.get("fc2.weight")!.detach(), state.get("fc2.bias")!.detach()];
      const made = found.activations.clean.matmul(weight.permute([1, 0])).add(bias);
      const logits = plain.classifier().logits(images, { seed: deriveSeed(0), draw: 0, imageIds });
      const answers = made.argmax(1).toNumbers();
      const labels = mnist().test.labels;
      const share = [...answers].filter((answer, i) => answer === labels[i]).length / 20;
      return [made.sub(logits).abs().amax().item(), share];
    });
    data.dispose();
    expect(worst).toBeLessThan(1e-5);
    expect(found.accuracy.clean).toBeCloseTo(right, 6);
  });

  it("leaves no tensors behind but what it returns", async () => {
    const before = liveCount();
    (await seen({ images: 30 }))[Symbol.dispose]();
    expect(liveCount()).toBe(before);
  });
});

describe("figures of what networks make of images", () => {
  const images = { ...options, limit: 130 };

  it("draw clean and attacked images at their places, the same way each time", async () => {
    const events: TableEvent[] = [];
    const work = runTable(figure2, { ...images, iterations: 20 }, { runs });
    for await (const event of work) events.push(event);
    const result = await work;
    const networks = networksOf(result);
    const again = await runTable(figure2, { ...images, iterations: 20 }, { runs });
    expect(networksOf(again)).toEqual(networks);
    expect(networks.map(({ title }) => title)).toEqual(columns);
    expect(networks.map(({ config }) => [config.method, config.defenses.length])).toEqual([
      ["standard", 0],
      ["fgsm", 0],
      ["fgsm", 1],
    ]);
    const chosen = [...mnist().test.labels.subarray(0, 130)].filter((label) => label < 4);
    for (const { places, labels, neighbors, measured, pictures } of networks) {
      expect(labels).toEqual(chosen);
      expect([places.clean.length, places.cw.length]).toEqual([chosen.length, chosen.length]);
      expect([measured.clean!.images, measured.cw!.images]).toEqual([130, 130]);
      for (const share of Object.values(neighbors)) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(100);
      }
      for (const picture of Object.values(pictures)) {
        expect(decode(Buffer.from(picture, "base64"))).toMatchObject({ width: 680, height: 680 });
      }
    }
    expect(events.filter(({ type }) => type === "progress").at(-1)).toMatchObject({
      work: `t-SNE, ${columns[2]}`,
      done: 20,
      total: 20,
    });
    const svg = await renderSvg(result.table.show(result.data).chart!);
    for (const text of [...columns, "clean", "C&amp;W 0.3", "0", "3"])
      expect(svg).toContain(`>${text}</text>`);
    for (const { pictures } of networks) expect(svg).toContain(pictures.cw);
  }, 240_000);

  it("refuse classes that there are not, and too few images of them, before any training", async () => {
    const few = runTable(figure2, { ...options, limit: 50 }, { runs });
    await expect(few).rejects.toThrow("limit: 50 test images have 23 of the classes that are drawn");
    const unknown = runTable(figure2, { ...images, classes: [1, 10] }, { runs });
    await expect(unknown).rejects.toThrow("classes: 10 is not in 0 .. 9");
    const twice = runTable(figure2, { ...images, classes: [1, 2, 1] }, { runs });
    await expect(twice).rejects.toThrow("classes: 1 is given twice; give each class once");
  });

  it("show each unit's mean by class, as shares of the largest clean mean", async () => {
    const result = await runTable(figure3, { ...images, data: [options.data] }, { runs });
    for (const { means, moved } of networksOf(result)) {
      expect(means.clean!.map((row) => row.length)).toEqual(new Array(10).fill(128));
      expect(Math.max(...means.clean!.flat())).toBe(1);
      expect(moved).toBeGreaterThan(0);
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
    const svg = await renderSvg(result.table.show(result.data).chart!);
    for (const text of ["mnist-1024, C&amp;W 0.3", ...columns]) expect(svg).toContain(`>${text}</text>`);
    const [first, ...others] = networksOf(result);
    const earlier = { networks: [{ ...first!, key: "cifar10-standard" }, ...others] };
    const joined = result.table.join!({ networks: [first] }, earlier) as { networks: { key: string }[] };
    expect(joined.networks).toHaveLength(4);
  });

  it("train the model for color images on images in color, and attack it at 8/255", async () => {
    const noise = { seed: deriveSeed(3), draw: 0, imageIds: imageIdRange(0, 96) };
    const all = Float32Array.from(scope(() => countedUniform(noise, 0, [3, 32, 32]).toNumbers()));
    const labels = Uint8Array.from({ length: 96 }, (_, i) => i % 2);
    const size = 3 * 32 * 32;
    const data = imagesOf({
      images: all.slice(0, 64 * size),
      labels: labels.slice(0, 64),
      test: { images: all.slice(64 * size), labels: labels.slice(64) },
      shape: [3, 32, 32],
      classes: ["even", "odd"],
      name: "noise",
    });
    const color = { colorModel: resnet18({ width: 4 }), colorImages: 48, colorEpochs: 1 };
    const result = await runTable(figure3, { ...color, data: [data] }, { runs });
    const networks = networksOf(result);
    expect(networks.map(({ config }) => config.method)).toEqual([
      "standard",
      "fgsm(epsilon=8/255)",
      "fgsm(epsilon=8/255)",
    ]);
    for (const { config, means, measured } of networks) {
      expect(config.limit).toBe(48);
      expect(means.cw!.map((row) => row.length)).toEqual([32, 32]);
      expect(measured.cw!.images).toBe(32);
    }
    expect(result.notes[0]).toContain(
      "resnet18(classes=2, width=4) on noise: 1 epoch on 48 images, (B) and (C) on fgsm(epsilon=8/255)",
    );
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
    for (const text of ["SMALL, full precision", "SMALL, SQA", "under FGSM, seed 0", "under PGD, seed 0"])
      expect(svg).toContain(`>${text}</text>`);
    expect(result.notes[0]).toContain("one seed on 1000 training images under fgsm at 0.3 and pgd(");
    const [full, sqa] = networks;
    const more = { networks: [full, { ...sqa, runs: [sqa!.runs[0], sqa!.runs[0]], seeds: [0, 1] }] };
    expect(result.table.show(more).notes[0]).toContain("a color for each seed on");
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

  it("are of the rows that are named alone, with each seed", () => {
    const { cells } = collapse({ rows: ["fgsm", "n-fgsm"], seeds: 2 });
    expect(cells("cpu").map(({ name }) => name)).toEqual([
      "fgsm-16-255-seed0",
      "fgsm-16-255-seed1",
      "n-fgsm-16-255-seed0",
      "n-fgsm-16-255-seed1",
    ]);
    const accepted = "fgsm | sqa-fgsm | sqa-blocks-fgsm | n-fgsm";
    expect(() => collapse({ rows: [] })).toThrow(accepted);
    expect(() => collapse({ rows: ["fgms"] })).toThrow(accepted);
  });
});

import { describe, expect, it } from "vitest";
import { imagesOf } from "../../src/datasets/index.js";
import {
  type AccuracyData,
  demo,
  figure1,
  figure3,
  noiseFree,
  placements,
  speed,
} from "../../src/paper/index.js";
import { renderSvg } from "../../src/report/chart.js";
import { presets } from "../../src/training/index.js";
import { columnOf, madeUpResult, madeUpTraining } from "./made-up.js";

const rowsOf = (data: object) => (data as AccuracyData).rows;

describe("the table of noise-free models", () => {
  const options = { preset: "mnist-short", seeds: 2, limit: 50, attackLimit: 20 } as const;

  it("trains both networks alike on FGSM images without a random start", () => {
    const cells = noiseFree(options).cells("cpu");
    expect(cells.map(({ name }) => name)).toEqual([
      "small-full-seed0",
      "small-full-seed1",
      "small-sqa-seed0",
      "small-sqa-seed1",
    ]);
    const { defenses: _, ...full } = cells[0]!.config;
    const { defenses: __, ...quantized } = cells[2]!.config;
    expect(JSON.stringify(full)).toBe(JSON.stringify(quantized));
    expect(String(full.method)).toBe("fgsm");
    expect(full.method.epsilon).toBe(0.3);
  });

  it("sets the model without its noise beside SQA and full precision", async () => {
    const result = await madeUpResult(noiseFree(options), (question) => (question.noiseFree ? 0.3 : 0.6));
    const rows = rowsOf(result.data);
    expect(rows.map(({ title }) => title)).toEqual([
      "SMALL, full precision",
      "SMALL, SQA",
      "SMALL, SQA in training, noise-free",
    ]);
    expect(rows.map(({ measured }) => measured["apgd-t-0.3"]!.mean)).toEqual([60, 60, 30]);
    expect(rows.map(({ randomized }) => randomized)).toEqual([undefined, true, undefined]);
    const notes = result.notes.join(" ");
    expect(notes).toContain("Training: fgsm at 0.3, 4 epochs in batches of 128");
    expect(notes).toContain(
      "50 (clean; FGSM 0.3; PGD 0.2), 20 (PGD 0.3, 10 restarts; APGD-T 0.3; Square 0.3)",
    );
  });
});

describe("the table of SQA's places", () => {
  it("has a row for each reading, trained alike but for the defense", async () => {
    const cells = placements({ trainImages: 500 }).cells("cpu");
    const layers = cells.map(({ config }) => config.defenses.map(String).join());
    expect(layers.slice(0, 5)).toEqual([
      "",
      "sqa(places=first-layer)",
      "sqa",
      "sqa(places=stages)",
      "sqa(places=blocks)",
    ]);
    expect(layers[5]).toMatch(/^sqa\(layer1\.0\.bn2=2, layer1\.1\.bn2=2, .*layer4\.1\.bn2=2, relu=1\)$/);
    expect(layers.slice(6)).toEqual(["sqa(places=blocks, range=channel)", "sqa(places=blocks, range=batch)"]);
    expect(new Set(cells.map(({ config }) => JSON.stringify({ ...config, defenses: [] }))).size).toBe(1);
    const { notes } = await madeUpResult(placements({ rows: ["full"] }), () => 0.5);
    expect(notes[0]).toBe(
      "In the paper ResNet-34 loses 5.5 points of clean accuracy to SQA and keeps 48.32 % under PGD-7, " +
        "ResNet-101 loses 4.7 points of clean accuracy to SQA and keeps 52.12 % under PGD-7.",
    );
    expect(notes[1]).toBe("Shortened: the paper trains 350 epochs; here 4 epochs.");
  });
});

describe("the table of speed", () => {
  const options = {
    preset: "cifar10-modern",
    model: "resnet18",
    epochs: 15,
    seeds: 2,
    attackLimit: 50,
  } as const;

  it("is a preset with what is given in place of its own", () => {
    const cells = speed(options).cells("cpu");
    const { config } = cells[0]!;
    expect(cells.map((cell) => cell.config.seed)).toEqual([0, 1]);
    expect(config).toMatchObject({ epochs: 15, averaging: 0.9995, selection: "best" });
    expect([config.model.name, config.data.name, config.method.name]).toEqual([
      "resnet18",
      "cifar10",
      "n-fgsm",
    ]);
    expect(new Set(cells[0]!.questions.map(({ limit }) => limit))).toEqual(new Set([null, 50]));
    const other = speed({ ...options, method: "fgsm(epsilon=8/255)" }).cells("cpu")[0]!;
    expect(other.config.method.name).toBe("fgsm");
  });

  it.each(Object.keys(presets) as (keyof typeof presets)[])(
    "attacks what the preset %s trains at its radius",
    (preset) => {
      const { config, questions } = speed({ preset, seeds: 1 }).cells("cpu")[0]!;
      const epsilon = config.data.name === "cifar10" ? 8 / 255 : 0.3;
      const radii = questions.flatMap(({ attack }) => attack?.traits.radius ?? []);
      expect(radii).toEqual([expect.closeTo(epsilon, 12), expect.closeTo(epsilon, 12)]);
    },
  );

  it("refuses a method and images without a radius", () => {
    const images = { images: new Uint8Array(2 * 784), labels: [0, 1] };
    const own = imagesOf({ ...images, test: images, shape: [1, 28, 28], classes: ["a", "b"], name: "own" });
    const table = speed({ preset: "mnist-short", data: own, method: "standard" });
    expect(() => table.cells("cpu")).toThrow("table speed: neither standard nor own has a radius");
    const other = speed({ preset: "mnist-short", method: "pgd(norm=l2, epsilon=2)" });
    expect(() => other.cells("cpu")).toThrow("its attacks are of l-infinity, and pgd(epsilon=2, norm=l2)");
  });

  it("shows seconds to three digits and accuracies in percent, as means over seeds", async () => {
    const training = (cell: string) => madeUpTraining({ seconds: cell.endsWith("0") ? 30 : 40 });
    const result = await madeUpResult(speed(options), () => 0.375, { training });
    expect(result.markdown()).toMatch(
      /measured, 15 epochs, 2 seeds \| +2\.00 ± 0\.00 \| +35\.0 ± 7\.07 \| 37\.50 ± 0\.00/,
    );
    const long = await madeUpResult(speed({ ...options, seeds: 1 }), () => 0.5, {
      training: () => madeUpTraining({ seconds: 2899.6 }),
    });
    expect(long.markdown()).toContain(" 2900 ");
  });

  it("names alarms, and whether a device's steps were replayed as graphs", async () => {
    const alarm = { type: "alarm", kind: "constant-output", epoch: 1, step: 1, message: "" } as const;
    const training = () => madeUpTraining({ alarms: [alarm], replayed: true });
    const { notes } = await madeUpResult(speed(options), () => 0.5, { device: "cuda", training });
    expect(notes).toContain("resnet18 on cifar10: training raised constant-output.");
    expect(notes).toContain("Steps were replayed as graphs.");
    const onCpu = await madeUpResult(speed(options), () => 0.5);
    expect(onCpu.notes.join(" ")).not.toMatch(/graph|alarm|raised/);
  });

  it("is timed alone, and named after its choices", () => {
    expect(speed().timed).toBe(true);
    expect(speed().fileName).toBe("speed");
    expect(speed({ ...options, model: "resnet18(width=16)" }).fileName).toBe(
      "speed-cifar10-modern-resnet18-width-16",
    );
  });
});

describe("figure 1", () => {
  it("has a network without quantization and one for each layer, quantized deterministically", () => {
    const cells = figure1().cells("cpu");
    expect(cells.map(({ config }) => config.defenses.map(String))).toEqual([
      [],
      ["deterministic-quantization(relu1=1)"],
      ["deterministic-quantization(relu2=1)"],
      ["deterministic-quantization(relu3=1)"],
    ]);
    expect(cells.flatMap(({ config }) => config.defenses.map(({ randomized }) => randomized))).not.toContain(
      true,
    );
  });

  it("draws a line for each, from the clean accuracy at 0 to the largest epsilon", async () => {
    const result = await madeUpResult(
      figure1({ limit: 100 }),
      ({ attack }) => 0.9 - (attack?.traits.radius ?? 0),
    );
    const { chart, table } = result.table.show(result.data);
    expect(table).toBeUndefined();
    const { values } = chart!.data as { values: { series: string; x: number; y: number; low: number }[] };
    const first = values.filter(({ series }) => series === "not quantized");
    expect(first.map(({ x }) => x)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]);
    for (const { x, y, low } of values)
      expect([y, low]).toEqual([0.9 - x, 0.89 - x].map((v) => expect.closeTo(v, 12)));
    const svg = await renderSvg(chart!);
    for (const layer of [1, 2, 3]) expect(svg).toContain(`quantized after layer ${layer}`);
    expect(svg).toContain("bands are 95 % intervals");
  });
});

describe("a figure of rows in two precisions", () => {
  it("tells of each line how it was made, in whatever sitting", async () => {
    const subtitleOf = ({ chart }: ReturnType<ReturnType<typeof figure1>["show"]>) =>
      (chart!.title as { subtitle: string[] }).subtitle.join(" ");
    const first = await madeUpResult(figure1({ epochs: 5 }), () => 0.5);
    const now = figure1({ precision: "bfloat16", epochs: 1, seeds: 2 });
    const second = await madeUpResult(now, () => 0.5);
    expect(subtitleOf(first.table.show(first.data))).toBe(
      "SMALL on MNIST, 5 epochs on clean images, seed 0; bands are 95 % intervals",
    );
    const both = subtitleOf(now.show(now.join!(second.data, first.data)));
    expect(both).toMatch(/after layer 3, float32: 5 epochs on clean images, seed 0; bands are 95 %/);
    expect(both).toMatch(/after layer 3, bfloat16: 1 epoch on clean images, means of 2 seeds; bands go/);
  });

  it("tells the setting of either in Figure 3", async () => {
    const rowOf = async (options: Parameters<typeof figure1>[0], images: number) => {
      const [row] = rowsOf((await madeUpResult(figure1(options), () => 0.5)).data);
      const means = { clean: [[1]], cw: [[1]] };
      const measured = { clean: { mean: 50, values: [50], images } };
      return { ...row!, title: "(A)", means, moved: 0, measured, forms: { clean: "clean", cw: "C&W" } };
    };
    const before = await rowOf({ epochs: 5 }, 100);
    const now = await rowOf({ epochs: 1, precision: "bfloat16" }, 20);
    const [first, , second] = figure3().show({ networks: [before, now] }).notes;
    expect(first).toMatch(/: 5 epochs, .*; 100 test images\. In float32\.$/);
    expect(second).toMatch(/: 1 epoch, .*; 20 test images\. In bfloat16\.$/);
    expect(figure3().show({ networks: [before] }).notes[0]).not.toContain("float32");
  });

  it("names the precision where titles are the same, and tells all lines apart", async () => {
    const [first, second] = await Promise.all(
      (["float32", "bfloat16"] as const).map((precision) =>
        madeUpResult(figure1({ limit: 100, precision }), () => 0.5),
      ),
    );
    const joined = first!.table.join!(second!.data, first!.data);
    const { chart } = first!.table.show(joined);
    const { color, strokeDash } = (
      chart as unknown as { layer: { encoding: Record<string, object> }[] }
    ).layer
      .map(({ encoding }) => ({ ...(chart as unknown as { encoding: object }).encoding, ...encoding }))
      .find((encoding) => "strokeDash" in encoding) as unknown as Record<
      "color" | "strokeDash",
      { scale: { domain: string[]; range: unknown[] } }
    >;
    expect(color.scale.domain).toEqual(
      ["float32", "bfloat16"].flatMap((precision) =>
        ["not quantized", ...[1, 2, 3].map((layer) => `quantized after layer ${layer}`)].map(
          (title) => `${title}, ${precision}`,
        ),
      ),
    );
    const looks = color.scale.range.map((one, i) => JSON.stringify([one, strokeDash.scale.range[i]]));
    expect(new Set(looks).size).toBe(8);
    expect(await renderSvg(chart!)).toContain("not quantized, bfloat16");
  });
});

describe("the demo", () => {
  it("trains both networks alike, and sets the paper's numbers beside the measured ones", async () => {
    const cells = demo().cells("cpu");
    expect(cells.map(({ config }) => config.defenses.map(String))).toEqual([[], ["sqa"]]);
    expect(cells.map(({ config }) => [String(config.method), config.epochs, config.limit])).toEqual([
      ["fgsm", 4, null],
      ["fgsm", 4, null],
    ]);
    const limits = cells[0]!.questions.map((question) => [columnOf(question), question.limit]);
    expect(Object.fromEntries(limits)).toMatchObject({
      clean: null,
      "fgsm-0.3": null,
      "cw-0.3": 1000,
      "pgd-0.2": 1000,
    });
    const text = (await madeUpResult(demo(), () => 0.9)).text();
    // The paper's clean accuracy and PGD of SQA, and the made-up clean accuracy.
    expect(text).toMatch(/SMALL, SQA +paper +96\.61 .* 7\.43/);
    expect(text).toMatch(/measured, 4 epochs, 1 seed +90\.00/);
  });
});

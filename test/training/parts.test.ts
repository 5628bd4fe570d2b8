import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { imagesFrom, imagesOf, mnist } from "../../src/datasets/index.js";
import { guidedDenoiser, pixelDefend } from "../../src/defenses/index.js";
import { modelOf, small } from "../../src/models/index.js";
import { Flatten, Linear, Sequential } from "../../src/nn/index.js";
import { type PartEvent, train, trainDenoiser, trainDensity } from "../../src/training/index.js";
import { leaveTemporary } from "../base/left-file.js";
import { writeClasses } from "../datasets/image-files.js";

const runs = mkdtempSync(join(tmpdir(), "sqa-parts-"));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

const density = { data: mnist(), limit: 40, epochs: 3, batchSize: 16, filters: 4, layers: 1, mixtures: 2 };
const build = (defense: Parameters<ReturnType<typeof small>["build"]>[0]["defenses"]) =>
  small().build({ seed: 0, defenses: defense ?? [] });

async function watched(
  work: AsyncIterable<PartEvent>,
  see: (event: PartEvent) => void,
): Promise<PartEvent[]> {
  const events: PartEvent[] = [];
  for await (const event of work) {
    events.push(event);
    see(event);
  }
  return events;
}

describe("training of a density model", () => {
  it("decodes images that lie in files", async () => {
    vi.stubEnv("XDG_CACHE_HOME", join(runs, "cache"));
    const classes = writeClasses(join(runs, "classes"), ["a", "b"], 4);
    const data = imagesFrom(classes, { test: 0.5 });
    const { result } = await trainDensity(
      { ...density, data, limit: undefined, epochs: 1, batchSize: 4 },
      { runs: join(runs, "files"), threads: 1 },
    );
    expect(result.measure).toBeGreaterThan(0);
  });

  it("learns images in memory", async () => {
    const images = Uint8Array.from({ length: 8 * 64 }, (_, i) => (i * 37) % 256);
    const own = { images, labels: [0, 1, 0, 1, 0, 1, 0, 1] };
    const data = imagesOf({ ...own, shape: [1, 8, 8], classes: ["a", "b"], test: own });
    const { folder, result } = await trainDensity(
      { ...density, data, limit: undefined, epochs: 1, batchSize: 4 },
      { runs: join(runs, "memory"), threads: 1 },
    );
    expect(folder).toContain("density-own-images-seed0-");
    expect(result.measure).toBeGreaterThan(0);
  });

  it("writes no weights that the last update has spoilt", async () => {
    const config = { ...density, limit: 16, epochs: 1, learningRate: 1e37 };
    await expect(trainDensity(config, { runs: join(runs, "wild"), threads: 1 })).rejects.toThrow(
      /^training stopped: the (weights are not finite|measure is NaN) after step 1: lower the learning rate$/,
    );
  });

  it("goes on where it was stopped, to the same weights, and is not repeated", async () => {
    const whole = await trainDensity(density, { runs: join(runs, "whole"), threads: 1 });
    const stop = new AbortController();
    const folder = join(runs, "stopped");
    const events = await watched(
      trainDensity(density, { runs: folder, threads: 1, signal: stop.signal }),
      (event) => {
        if (event.type === "step" && event.step === 4) stop.abort();
      },
    );
    expect(events.at(-1)).toMatchObject({ type: "stopped", step: 4 });
    const { run } = events.find((event) => event.type === "start")!;
    leaveTemporary(run, "checkpoint.safetensors");
    const resumed = await watched(trainDensity(density, { runs: folder, threads: 1 }), () => {});
    expect(resumed[0]).toMatchObject({ type: "start", step: 4, stepsPerEpoch: 3 });
    const files = ["checkpoint.safetensors", "part.json", "weights.safetensors"];
    expect(readdirSync(run).sort()).toEqual(files);
    const end = resumed.at(-1)!;
    if (end.type !== "end") throw new Error(`ended with ${end.type}`);
    const measures = ({ loss, measure }: { loss: number; measure: number }) => [loss, measure];
    expect(measures(end.result)).toEqual(measures(whole.result));
    const again = await watched(trainDensity(density, { runs: folder, threads: 1 }), () => {});
    expect(again).toEqual([end]);
    const losses = resumed.flatMap((event) => (event.type === "epoch" ? [event.loss] : []));
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  });

  it("leaves a folder that PixelDefend takes, and others refuse", async () => {
    const { folder, weights } = await trainDensity(density, { runs: join(runs, "whole"), threads: 1 });
    expect(build([pixelDefend({ density: folder })]).defenses.map(String)).toEqual([
      `pixel-defend(density=${folder})`,
    ]);
    expect(() => build([guidedDenoiser({ denoiser: folder })])).toThrow(
      "holds a density model, not a denoiser; sqa denoiser trains one",
    );
    const color = small({ inputShape: [3, 32, 32] });
    expect(() => color.build({ seed: 0, defenses: [pixelDefend({ density: weights })] })).toThrow(
      "takes images of 3 channels",
    );
    expect(() => build([pixelDefend()])).toThrow("give density=FOLDER of sqa density");
    expect(() => build([pixelDefend({ density: join(runs, "none") })])).toThrow("does not exist");
    expect(() => build([pixelDefend({ density: runs })])).toThrow("holds no weights.safetensors");
    const bytes = readFileSync(weights);
    bytes[bytes.length - 3]! ^= 1;
    const damaged = join(runs, "damaged.safetensors");
    writeFileSync(damaged, bytes);
    expect(() => build([pixelDefend({ density: damaged })])).toThrow("was damaged or edited");
  });

  it("says of damaged weights how the part is trained again", async () => {
    const place = { runs: join(runs, "damage"), threads: 1 };
    const config = { ...density, limit: 16, epochs: 1 };
    const { weights, result } = await trainDensity(config, place);
    for (const damage of ["", "no tensors", readFileSync((await trainDensity(density, place)).weights)]) {
      writeFileSync(weights, damage);
      await expect(trainDensity(config, place)).rejects.toThrow("; delete it to train the part again");
    }
    rmSync(weights);
    expect((await trainDensity(config, place)).result.loss).toBe(result.loss);
  });

  it("refuses what it cannot train", () => {
    expect(() => trainDensity({ ...density, limit: 70_000 })).toThrow("limit must be at most 60000");
    expect(() => trainDensity({ ...density, filters: 0 })).toThrow("filters");
    expect(() => trainDensity({ ...density, epochs: 1.5 })).toThrow("epochs");
  });
});

describe("training of a guided denoiser", () => {
  it("brings the logits of attacked images nearer to those of clean ones, of an unchanged model", async () => {
    const config = { model: small(), data: mnist(), method: "standard", limit: 128, batchSize: 32 } as const;
    const run = await train({ ...config, epochs: 1, validationAttacks: [] }, { runs, threads: 1 });
    const before = readFileSync(run.weights);
    const events = await watched(
      trainDenoiser({ run: run.folder, epochs: 3, batchSize: 32, width: 4 }, { runs, threads: 1 }),
      () => {},
    );
    expect(readFileSync(run.weights).equals(before)).toBe(true);
    const losses = events.flatMap((event) => (event.type === "epoch" ? [event.loss] : []));
    expect(losses).toHaveLength(3);
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]!);
    const end = events.at(-1)!;
    if (end.type !== "end") throw new Error(`ended with ${end.type}`);
    const guarded = build([guidedDenoiser({ denoiser: end.run })]);
    expect(Object.keys(guarded.classifier().surrogates!)).toEqual(["unpurified"]);
    expect(() => trainDenoiser({ run: runs })).toThrow("is not a run folder");
  });

  it("takes the images of the user's own that the run was trained on", async () => {
    const images = Uint8Array.from({ length: 8 * 256 }, (_, i) => (i * 37) % 256);
    const own = { images, labels: [0, 1, 0, 1, 0, 1, 0, 1] };
    const data = imagesOf({ ...own, shape: [1, 16, 16], classes: ["a", "b"], test: own });
    const config = { model: small(), data, method: "standard", batchSize: 4, epochs: 1 } as const;
    const run = await train({ ...config, validationAttacks: [] }, { runs, threads: 1 });
    const denoiser = {
      run: run.folder,
      attack: "fgsm(epsilon=0.1)",
      epochs: 1,
      batchSize: 4,
      width: 2,
    } as const;
    const missing = 'the own images "own-images": give them again';
    await expect(async () => trainDenoiser(denoiser, { runs, threads: 1 })).rejects.toThrow(missing);
    const { result } = await trainDenoiser({ ...denoiser, data }, { runs, threads: 1 });
    expect(result.measure).toBeGreaterThanOrEqual(0);
  });

  it("leaves a module of the user's own alive", async () => {
    const images = Uint8Array.from({ length: 4 * 256 }, (_, i) => (i * 37) % 256);
    const own = { images, labels: [0, 1, 0, 1] };
    const data = imagesOf({ ...own, shape: [1, 16, 16], classes: ["a", "b"], test: own });
    const module = new Sequential({ flat: new Flatten(), fc: new Linear(256, 2, { seed: 0 }) });
    const model = modelOf(module, { inputShape: [1, 16, 16], classes: 2 });
    const config = { model, data, method: "standard", batchSize: 4, epochs: 1 } as const;
    const { folder } = await train({ ...config, validationAttacks: [] }, { runs, threads: 1 });
    const denoiser = { run: folder, model, data, attack: "fgsm(epsilon=0.1)", epochs: 1, width: 2 } as const;
    await trainDenoiser(denoiser, { runs, threads: 1 });
    expect([...module.state().values()].map(({ disposed }) => disposed)).toEqual([false, false]);
  });
});

it.each<[object, string]>([
  [{ checkpointSecond: 5 }, 'unknown option "checkpointSecond"; did you mean "checkpointSeconds"?'],
  [{ checkpointSeconds: Number.NaN }, "checkpointSeconds must be 0 or more, not NaN"],
  [{ checkpointSeconds: "5" }, 'checkpointSeconds must be a number, not "5"'],
  [{ runs: 3 }, "runs must be the path of a folder, not 3"],
])("a part's training with the options %j is refused", (options, message) => {
  expect(() => trainDensity(density, options)).toThrow(message);
  expect(() => trainDenoiser({ run: runs }, options)).toThrow(message);
});

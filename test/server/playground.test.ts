import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelFile, PlayFacts, PlayResult } from "../../src/server/api.js";
import { Served } from "./served.js";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

let served: Served;
let models: string;

beforeAll(async () => {
  served = await Served.start();
  models = join(served.top, "models");
  mkdirSync(join(models, "deep"), { recursive: true });
  copyFileSync(fixture("exported/mnist.pt2"), join(models, "mnist.pt2"));
  copyFileSync(fixture("onnx/mnist.onnx"), join(models, "deep", "mnist.onnx"));
  writeFileSync(join(models, "notes.txt"), "no model");
  mkdirSync(join(served.runs, "one"));
  copyFileSync(fixture("exported/mnist.pt2"), join(served.runs, "one", "hardened.pt2"));
  copyFileSync(fixture("exported/mnist.pt2"), join(served.top, "outside.pt2"));
  symlinkSync(join(served.top, "outside.pt2"), join(models, "link.pt2"));
  symlinkSync(served.top, join(models, "up"));
  await served.dashboard.close();
  await served.restart({ models });
});
afterAll(() => served[Symbol.asyncDispose]());

const pt2 = { place: "models", file: "mnist.pt2" } as const;
const digit = Array.from({ length: 784 }, (_, i) => ((i * i) % 251) / 255);

async function play(request: object): Promise<PlayResult> {
  const { status, text } = await served.post("/api/playground", { seed: 0, ...request });
  expect([status, text.slice(0, 300)]).toEqual([200, text.slice(0, 300)]);
  return JSON.parse(text) as PlayResult;
}

describe("exported models of the playground", () => {
  it("are those below the two folders, and nothing that a link leads to", async () => {
    expect(await served.json<ModelFile[]>("/api/playground/files")).toEqual([
      { place: "models", file: "deep/mnist.onnx" },
      pt2,
      { place: "runs", file: "one/hardened.pt2" },
    ]);
  });

  it("are not opened outside of their folders, whatever the name", async () => {
    const names = [
      ...["../outside.pt2", "deep/../../outside.pt2", "/etc/hosts.pt2", "link.pt2", "up/outside.pt2"],
      ...["notes.txt", "deep", "..", "deep\\..\\..\\outside.pt2", "mnist.pt2/../../outside.pt2", "none.pt2"],
    ];
    for (const file of names) {
      const { status } = await served.post("/api/playground/model", { place: "models", file });
      expect([file, status]).toEqual([file, 404]);
    }
    const other = { place: "results", file: "mnist.pt2" };
    expect((await served.post("/api/playground/model", other)).status).toBe(400);
  });

  it("tell their shape and classes, .pt2 and ONNX alike", { timeout: 120_000 }, async () => {
    for (const model of [pt2, { place: "models", file: "deep/mnist.onnx" }]) {
      const { status, text } = await served.post("/api/playground/model", model);
      expect(status, text).toBe(200);
      const facts = JSON.parse(text) as PlayFacts;
      expect(facts).toMatchObject({ shape: [1, 28, 28], randomized: false });
      expect(facts.classNames).toHaveLength(10);
      expect(facts.notes.length).toBeGreaterThan(0);
      expect(facts.data).not.toContain("");
      // Data sets of this machine, those of the model's shape first; sources of a user's own are none of them.
      expect(facts.data[0]).toMatch(/^(fashion-)?mnist$/);
      expect(facts.data).toContain("mnist");
      expect(facts.data).not.toContain("image-folder");
    }
  });

  it("are attacked within the radius, away from what they say themselves", { timeout: 120_000 }, async () => {
    const image = { pixels: digit, label: null };
    const result = await play({ model: pt2, attack: "fgsm(epsilon=32/255)", image });
    const { probabilities } = result.cleanAnswers;
    expect(result.label).toBe(probabilities.indexOf(Math.max(...probabilities)));
    expect(result.linf).toBeGreaterThan(0);
    expect(result.linf).toBeLessThanOrEqual(32 / 255 + 1e-6);
    expect(result.adversarialAnswers.probabilities[result.label]!).toBeLessThan(probabilities[result.label]!);
    // With a normalization that it does not have inside, the model sees other numbers.
    const model = { ...pt2, normalize: "0.5/0.25" };
    const other = await play({ model, attack: "fgsm(epsilon=32/255)", image });
    expect(other.cleanAnswers.probabilities).not.toEqual(probabilities);
    const wrong = { model: { ...pt2, normalize: "mean" }, attack: "fgsm", image };
    const { status, text } = await served.post("/api/playground", { seed: 0, ...wrong });
    expect([status, text]).toEqual([422, expect.stringContaining("normalization")]);
  });

  it("see a picture in their own size, gray where they are", { timeout: 120_000 }, async () => {
    // Left half red, right half blue, 60 x 40: the middle 40 x 40 is what counts.
    const data = new Uint8Array(60 * 40 * 3);
    for (let i = 0; i < 60 * 40; i++) data[3 * i + (i % 60 < 30 ? 0 : 2)] = 255;
    const png = encode({ width: 60, height: 40, data, channels: 3, depth: 8 });
    const image = { picture: Buffer.from(png).toString("base64"), label: 3 };
    const { clean, label, shape } = await play({ model: pt2, attack: "fgsm(epsilon=1/255)", image });
    expect([label, shape]).toEqual([3, [1, 28, 28]]);
    // Luma of pure red and pure blue (ITU-R BT.601).
    expect(clean[28 * 14 + 3]).toBeCloseTo(0.299, 2);
    expect(clean[28 * 14 + 24]).toBeCloseTo(0.114, 2);
  });

  it("refuse what is no picture, other labels, and images of another size", {
    timeout: 120_000,
  }, async () => {
    const refused = async (image: object) => {
      const body = { model: pt2, attack: "fgsm(epsilon=0.1)", image, seed: 0 };
      const { status, text } = await served.post("/api/playground", body);
      return [status, (JSON.parse(text) as { error: string }).error];
    };
    const picture = Buffer.from("<svg onload=alert(1)>").toString("base64");
    expect(await refused({ picture, label: 0 })).toEqual([422, expect.stringMatching(/^picture: /)]);
    expect(await refused({ pixels: digit, label: 10 })).toEqual([422, expect.stringContaining("10 classes")]);
    expect(await refused({ pixels: [1], label: 0 })).toEqual([422, expect.stringContaining("784")]);
    const elsewhere = { position: 0, data: "image-folder(path=/etc)" };
    expect(await refused(elsewhere)).toEqual([422, expect.stringContaining("not on this machine")]);
    expect((await refused({ picture: "!", label: 0 }))[0]).toBe(400);
  });

  it("are opened anew where the file is another", { timeout: 120_000 }, async () => {
    const file = join(models, "changing.pt2");
    copyFileSync(fixture("exported/mnist.pt2"), file);
    const model = { place: "models", file: "changing.pt2" };
    const asked = () => served.post("/api/playground/model", model);
    expect((await asked()).status).toBe(200);
    writeFileSync(file, "no archive");
    expect((await asked()).status).toBe(422);
    rmSync(file);
    expect((await asked()).status).toBe(404);
  });
});

it("starts without a folder of models only where none is asked for", async () => {
  await expect(served.restart({ models: join(served.top, "nowhere") })).rejects.toThrow("does not exist");
  await served.restart({ models });
});

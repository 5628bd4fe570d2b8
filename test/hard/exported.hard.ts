// Changed files of what a user brings: models, arrays, pictures. Each is refused by an error that names it,
// or read; soon, in little memory, and without numbers that its checksums contradict.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { scope } from "../../src/engine/index.js";
import { modelFromFile } from "../../src/models/index.js";
import { formats, fuzz } from "../files/image-fuzz.js";
import { noiseOf } from "../models/exported/fixtures.js";
import { mutated } from "../models/exported/mutations.js";
import { mutatedOnnx } from "../models/exported/onnx/onnx-mutations.js";
import { amount } from "./amounts.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hard-exported-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const most = { seconds: 5, bytes: 1e9 };
const ofModels = amount(300, 2500);
const ofImages = Math.ceil(amount(300, 5000) / Object.keys(formats).length);
/** Seeds of other runs give other files. */
const first = Number(process.env.SQA_FIRST ?? 1_000_000);
const limit = 7_200_000;

describe.each([
  ["model.pt2", mutated],
  ["model.onnx", mutatedOnnx],
] as const)("%s", (name, change) => {
  test(`${ofModels} changed files are read or refused`, { timeout: limit }, async () => {
    const file = join(folder, name);
    const found = { read: 0, refused: 0, slowest: 0, memory: 0 };
    const before = process.memoryUsage.rss();
    for (let seed = first; seed < first + ofModels; seed++) {
      const bytes = change(seed);
      writeFileSync(file, bytes);
      const from = process.cpuUsage();
      try {
        const model = await modelFromFile(file);
        logitsOf(model.build({ seed: 0 }), model.inputShape, model.classes);
        found.read++;
      } catch (error) {
        const { name: kind, message } = error as Error;
        const isRefusal = kind === "FileFormatError" && message.startsWith(file);
        if (!isRefusal) throw new Error(`seed ${seed}: ${kind}: ${message}`, { cause: error });
        found.refused++;
      }
      const { user, system } = process.cpuUsage(from);
      found.slowest = Math.max(found.slowest, (user + system) / 1e6);
      found.memory = Math.max(found.memory, process.memoryUsage.rss() - before - bytes.length);
      expect(found.slowest, `seed ${seed}`).toBeLessThan(most.seconds);
      expect(found.memory, `seed ${seed}`).toBeLessThan(most.bytes);
    }
    process.stderr.write(`${name}: ${JSON.stringify(found)}\n`);
    expect(found.read).toBeGreaterThan(0);
    expect(found.refused).toBeGreaterThan(ofModels / 4);
  });
});

type Built = ReturnType<Awaited<ReturnType<typeof modelFromFile>>["build"]>;

/** Logits of an image: a model that is read gives as many as it says. */
function logitsOf({ module }: Built, [c, h, w]: readonly number[], classes: number): void {
  try {
    scope(() => {
      const noise = noiseOf(1);
      const images = noise.imageIds.to("float32").reshape([1, 1, 1, 1]).expand([1, c!, h!, w!]);
      const { shape } = module.apply(images, { training: false, noise });
      if (shape.join() !== `1,${classes}`) throw new Error(`logits of shape [${shape}]`);
    });
  } finally {
    module.dispose();
  }
}

describe.each(Object.keys(formats))("%s", (format) => {
  test(`${ofImages} changed files are read or refused`, { timeout: limit }, async () => {
    const { wrong, slowest, memory, refused, accepted } = await fuzz(format, ofImages, 77);
    const figures = `${accepted} read, ${refused} refused, slowest ${Math.round(slowest)} ms`;
    process.stderr.write(`${format}: ${figures}, ${Math.round(memory / 1e6)} MB\n`);
    expect(wrong).toEqual([]);
    expect(slowest).toBeLessThan(most.seconds * 1000);
    expect(memory).toBeLessThan(most.bytes);
  });
});

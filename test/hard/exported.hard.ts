// Changed files of what a user brings: models, arrays, pictures. Each is refused by an error that names it,
// or read; soon, in little memory, and without numbers that its checksums contradict.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { formats, fuzz } from "../files/image-fuzz.js";
import { most, readChanged } from "../models/exported/changed-models.js";
import { mutated } from "../models/exported/mutations.js";
import { mutatedOnnx } from "../models/exported/onnx/onnx-mutations.js";
import { amount } from "./amounts.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hard-exported-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
    const found = await readChanged(join(folder, name), change, { first, count: ofModels });
    process.stderr.write(`${name}: ${JSON.stringify(found)}\n`);
    expect(found.read).toBeGreaterThan(0);
    expect(found.refused).toBeGreaterThan(ofModels / 4);
  });
});

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

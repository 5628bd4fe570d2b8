import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { readPt2, readSafetensors } from "../../src/files/index.js";
import { modelFromFile, small } from "../../src/models/index.js";
import { modelFromRun, modelFromWeights, saveWeights } from "../../src/training/index.js";
import { imagesFor, noiseOf } from "../models/export/models.js";
import { fixture } from "../models/exported/fixtures.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cli-export-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

/** Trains a moment, and returns the run's folder. */
async function trained(name: string, ...words: string[]): Promise<string> {
  const short = ["--images", "mnist", "--limit", "64", "--batch-size", "32", "--epochs", "1"];
  const method = ["--method", "fgsm(epsilon=0.1)", "--validation-attack", "none"];
  const { code, err } = await sqa("train", ...short, ...method, "--runs", at(name), ...words);
  expect([code, err]).toEqual([0, expect.anything()]);
  return join(at(name), readdirSync(at(name)).find((folder) => folder.startsWith("mnist-"))!);
}

describe("sqa export of a run", { timeout: 120_000 }, () => {
  let run = "";
  beforeAll(async () => {
    run = await trained("own", "--model", "compact", "--defense", "sqa");
  });

  it("writes ONNX, whose noise it says, and without noise", async () => {
    const random = await sqa("export", run, at("model.onnx"));
    expect([random.code, random.out]).toEqual([0, `${at("model.onnx")}\n`]);
    expect(random.err).toContain("noise is the runtime's own, new in each run of the file; --noise-free");
    // The network reads pixels through a threshold, whose gradient is a line everywhere.
    expect(random.err).toContain("surrogates of sqa, threshold are this package's, and not in the file\n");
    const mean = await sqa("export", run, at("mean.onnx"), "--noise-free");
    expect(mean.code).toBe(0);
    expect(mean.err).toMatch(
      /^attacks on the file .* surrogates of threshold are this package's, and not in the file\n$/,
    );
    const { model } = modelFromRun(run);
    const images = imagesFor(model, 3);
    const again = (await modelFromFile(at("mean.onnx"))).build({ seed: 0 });
    const wanted = model.classifier({ noiseFree: true }).logits(images, noiseOf(3)).toNumbers();
    for (const [i, value] of again.classifier().logits(images, noiseOf(3)).toNumbers().entries())
      expect(value).toBeCloseTo(wanted[i]!, 4);
    expect((await modelFromFile(at("model.onnx"))).warnings.join()).toContain("RandomUniformLike");
  });

  it("writes its weights, which are the run's", async () => {
    const { code, err } = await sqa("export", run, at("weights.safetensors"));
    expect([code, err]).toEqual([
      0,
      expect.stringContaining(`defenses are not in the file: sqa; with them the model is ${run}\n`),
    ]);
    const state = modelFromRun(run).model.module.state();
    const { tensors } = readSafetensors(at("weights.safetensors"));
    expect([...tensors.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, value] of state) expect([...tensors.get(name)!.data]).toEqual(value.toNumbers());
    expect(modelFromWeights(at("weights.safetensors"), "compact").classes).toBe(10);
  });

  it("replaces a file of another content with --force alone", async () => {
    writeFileSync(at("mine.onnx"), "mine");
    const refused = await sqa("export", run, at("mine.onnx"));
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("--force replaces it")]);
    expect(readFileSync(at("mine.onnx"), "utf8")).toBe("mine");
    expect((await sqa("export", run, at("mine.onnx"), "--force")).code).toBe(0);
    expect(readFileSync(at("mine.onnx")).length).toBeGreaterThan(10_000);
  });

  it.each([
    [["model.txt"], "a file ends with .onnx, .safetensors, .pt2, which says its format"],
    [["w.safetensors", "--noise-free"], "--noise-free is for .onnx"],
    [["own.onnx", "--images", "mnist"], "--images is for weights in a file"],
    [["own.onnx", "--prefix", "model."], "--prefix is for weights in a file; run"],
    [["copy.pt2"], "copies are written of .pt2 files, which model compact was not made of"],
  ])("refuses %j", async (words, message) => {
    const { code, err } = await sqa("export", run, at(words[0]!), ...words.slice(1));
    expect([code, err]).toEqual([64, expect.stringContaining(message)]);
    expect(existsSync(at(words[0]!))).toBe(false);
  });
});

describe("sqa export of files", { timeout: 120_000 }, () => {
  it("writes weights with an architecture as ONNX", async () => {
    saveWeights(at("small.safetensors"), small().build({ seed: 4 }).module);
    const given = ["export", at("small.safetensors"), at("small.onnx"), "--architecture", "small"];
    expect((await sqa(...given)).code).toBe(0);
    expect((await modelFromFile(at("small.onnx"))).inputShape).toEqual([1, 28, 28]);
  });

  it("writes a run of a .pt2 model as a copy and as a state dict, the same that training wrote", async () => {
    const model = fixture("mnist");
    const run = await trained("hardened", "--model", model, "--out", at("hardened.pt2"));
    expect([existsSync(at("hardened.pt2")), existsSync(at("hardened.safetensors"))]).toEqual([true, true]);
    const written = async (name: string) => {
      expect((await sqa("export", run, at(name), "--architecture", model)).code).toBe(0);
      return readFileSync(at(name));
    };
    expect((await written("again.pt2")).equals(readFileSync(at("hardened.pt2")))).toBe(true);
    expect((await written("again.safetensors")).equals(readFileSync(at("hardened.safetensors")))).toBe(true);
    // Names and shapes of the file, and the values of the copy's weights.
    const { weights } = readPt2(at("hardened.pt2"));
    const { tensors } = readSafetensors(at("hardened.safetensors"));
    expect([...tensors.keys()].sort()).toEqual([...weights.keys()].sort());
    const { module } = (await modelFromFile(at("hardened.pt2"))).build({ seed: 0 });
    for (const [name, value] of module.state()) {
      if (tensors.has(name)) expect([...tensors.get(name)!.data], name).toEqual(value.toNumbers());
    }
    const refused = await sqa("export", run, at("graph.onnx"), "--architecture", model);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("a graph out of a file")]);
  });
});

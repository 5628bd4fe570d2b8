import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { modelFromFile } from "../../src/models/index.js";
import { modelFromRun } from "../../src/training/index.js";
import { imagesFor, noiseOf } from "../models/export/models.js";
import { fixture } from "../models/exported/fixtures.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cli-exported-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const model = fixture("mnist");

describe("an exported model at the command line", { timeout: 120_000 }, () => {
  it("is evaluated, and what was found in its file is said", async () => {
    const { code, out, err } = await sqa(
      ...["evaluate", model, "--images", "mnist", "--limit", "40", "--json"],
      ...["--attack", "fgsm(epsilon=0.1)"],
    );
    expect([code, err]).toEqual([
      0,
      expect.stringContaining("exported model: .pt2, schema 8.20, of PyTorch 2.13"),
    ]);
    const { clean } = JSON.parse(out) as { clean: { accuracy: number } };
    expect(clean.accuracy).toBeGreaterThan(0.9);
  });

  it("takes the mean and deviation of its images, and refuses others", async () => {
    const given = ["evaluate", model, "--images", "mnist", "--limit", "40", "--attack", "none", "--json"];
    const accuracy = async (...more: string[]) =>
      JSON.parse((await sqa(...given, ...more)).out).clean.accuracy as number;
    expect(await accuracy("--normalize", "0/1")).toBe(await accuracy());
    expect((await sqa(...given, "--normalize", "0/1")).err).toContain(
      `${model}: it normalizes its images itself (aten.sub, aten.div): without --normalize it sees`,
    );
    expect(await accuracy("--normalize", "0.9/0.1")).toBeLessThan(0.9);
    for (const [text, message] of [
      ["imagenet", "--normalize: 3 numbers for mean, and images have 1 channel; give 0.485/0.229"],
      ["0.5/0", "--normalize.std must be above 0, not [0]"],
      ["0.5", "give imagenet, or MEAN/STD such as 0.1307/0.3081"],
    ] as const) {
      const { code, err } = await sqa(...given, "--normalize", text);
      expect([code, err]).toEqual([64, expect.stringContaining(message)]);
    }
  });

  it("says blocked gradients, and takes --exact-gradients", async () => {
    // Images of another shape: the model is opened, and its file's findings are said, before they are compared.
    const given = ["evaluate", fixture("rounded"), "--images", "mnist", "--limit", "1"];
    expect((await sqa(...given)).err).toContain("pass as if by the identity (BPDA)");
    expect((await sqa(...given, "--exact-gradients")).err).toContain("left so (exact gradients)");
    const refused = await sqa("evaluate", "nowhere.mjs", "--images", "mnist", "--exact-gradients");
    expect([refused.code, refused.err]).toEqual([
      64,
      expect.stringContaining("is for exported models (.pt2, .onnx)"),
    ]);
  });

  it("is trained, and written as a copy with other weights", async () => {
    const out = join(folder, "hardened.pt2");
    const given = ["train", "--model", model, "--images", "mnist", "--limit", "128", "--batch-size", "32"];
    const options = ["--validation-attack", "none", "--runs", folder, "--out", out];
    const result = await sqa(...given, "--method", "fgsm(epsilon=0.1)", "--epochs", "1", ...options);
    expect([result.code, result.err]).toEqual([0, expect.stringContaining("hardened model: ")]);
    expect(result.err).toContain("--architecture");
    const nowhere = await sqa(...given, "--out", join(folder, "none", "hardened.pt2"));
    expect([nowhere.code, nowhere.err]).toEqual([
      64,
      expect.stringContaining("none: there is no such folder"),
    ]);
    const [before, after] = await Promise.all([model, out].map((file) => modelFromFile(file)));
    expect(after!.own!.sha256).not.toBe(before!.own!.sha256);
    const again = await sqa(...given, "--method", "fgsm(epsilon=0.1)", "--epochs", "1", ...options);
    expect([again.code, again.err]).toEqual([64, expect.stringContaining("there is such a file already")]);
  });

  it("is trained with a defense behind a node, which the run has and the copy does not", async () => {
    const [out, runs] = [join(folder, "with-sqa.pt2"), join(folder, "with-sqa")];
    const images = ["--images", "mnist", "--limit"];
    const options = ["--batch-size", "32", "--epochs", "1", "--validation-attack", "none", "--runs", runs];
    const given = ["train", "--model", model, ...images, "128", ...options, "--method", "fgsm(epsilon=0.1)"];
    const refused = await sqa(...given, "--defense", "sqa(relo=1)", "--out", out);
    expect([refused.code, refused.err]).toEqual([
      64,
      expect.stringContaining('unknown layer "relo"; did you mean "relu"?'),
    ]);
    const { code, err } = await sqa(...given, "--defense", "sqa(relu=1)", "--out", out);
    const run = join(runs, readdirSync(runs)[0]!);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining(`defenses are not in the file: sqa(relu=1); with them the model is ${run}\n`),
    ]);
    const base = await modelFromFile(model);
    const trained = modelFromRun(run, { model: base }).model;
    const copy = (await modelFromFile(out)).build({ seed: 0 });
    const pixels = imagesFor(trained, 8);
    const noise = noiseOf(8);
    const noiseFree = trained.classifier({ noiseFree: true }).logits(pixels, noise).toNumbers();
    expect(copy.classifier().logits(pixels, noise).toNumbers()).toEqual(noiseFree);
    expect(trained.classifier().logits(pixels, noise).toNumbers()).not.toEqual(noiseFree);
    const clean = async (...words: string[]) => {
      const result = await sqa("evaluate", ...words, ...images, "40", "--attack", "none", "--json");
      expect(result.code, result.err).toBe(0);
      return JSON.parse(result.out) as { clean: { accuracy: number }; model: string };
    };
    const [defended, undefended, written] = [
      await clean(run, "--architecture", model),
      await clean(run, "--architecture", model, "--defense", "none"),
      await clean(out),
    ];
    expect(written.clean).toEqual(undefended.clean);
    expect(defended.clean.accuracy).not.toBe(written.clean.accuracy);
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { main } from "../../src/cli/main.js";
import {
  grad,
  imageIdRange,
  noGrad,
  operators as ops,
  setThreads,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";
import { writeSafetensors } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import { RunFolder, saveWeights, trainConfig } from "../../src/training/index.js";
import { fakeImages, fakeLabels, idxBytes, writeFolder } from "../datasets/idx-files.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-evaluate-"));
const weights = join(folder, "small.safetensors");
const data = join(folder, "data");
const count = 20;
const model = small.build({ seed: 4 });

beforeAll(() => {
  setThreads(1);
  saveWeights(weights, model.module);
  // Only the test split, and not the official one.
  writeFolder(data, {
    "t10k-images-idx3-ubyte": idxBytes([count, 28, 28], fakeImages(count)),
    "t10k-labels-idx1-ubyte": idxBytes([count], fakeLabels(count)),
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["evaluate", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const base = ["--weights", weights, "--data", data];
const json = (result: { out: string }) => JSON.parse(result.out);

/** Accuracy under sign steps in an l-infinity ball, in a few lines of its own; with 0 steps, on clean images. */
function attackedAccuracy(steps: number, stepSize: number, epsilon: number): number {
  const x = tensor(
    Float32Array.from(fakeImages(count), (byte) => byte / 255),
    [count, 1, 28, 28],
  );
  const y = tensor(Int32Array.from(fakeLabels(count)), [count], "int64");
  const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, count) };
  let adversarial: Tensor = x;
  for (let step = 0; step < steps; step++) {
    const input = adversarial.detach().requireGrad();
    const loss = ops.crossEntropyLoss(model.classifier().logits(input, noise), y, null, 2);
    const [gradient] = grad(loss, [input]);
    adversarial = adversarial.add(gradient!.sign().mul(stepSize)).sub(x).clamp(-epsilon, epsilon).add(x).clamp(0, 1);
  }
  return noGrad(() => model.classifier().logits(adversarial, noise).argmax(1).eq(y).to("float32").mean().item());
}

describe("sqa evaluate --json", () => {
  it("prints one object, whose numbers are those of a direct computation", async () => {
    const attack = "pgd(epsilon=0.1, stepSize=0.05, steps=4, randomStart=false)";
    const result = await sqa(
      ...base,
      "--network",
      "small",
      "--attack",
      "fgsm(epsilon=0.1)",
      "--attack",
      attack,
      "--json",
    );
    expect([result.code, result.err]).toEqual([0, ""]);
    expect(result.out.trimEnd().split("\n")).toHaveLength(1);
    expect(json(result)).toMatchObject({
      network: "small",
      dataset: "mnist",
      images: count,
      draws: 1,
      sqa: null,
      clean: { accuracy: expect.closeTo(attackedAccuracy(0, 0, 0), 6) },
      attacks: [
        { attack: "fgsm(epsilon=0.1, labels=given)", robustAccuracy: expect.closeTo(attackedAccuracy(1, 0.1, 0.1), 6) },
        {
          robustAccuracy: expect.closeTo(attackedAccuracy(4, 0.05, 0.1), 6),
          passes: { forward: 4, backward: 4 },
          seconds: expect.any(Number),
        },
      ],
      flags: [],
    });
    expect(Object.keys(json(result)).slice(0, 6)).toEqual([
      "network",
      "dataset",
      "images",
      "draws",
      "clean",
      "attacks",
    ]);
    expect(Object.keys(json(result).clean)).toEqual(["accuracy", "low", "high"]);
  });

  it("draws with SQA, and does not depend on the batch size", async () => {
    const words = [...base, "--limit", "9", "--attack", "fgsm", "--draws", "4", "--json"];
    const whole = json(await sqa(...words, "--sqa"));
    expect(whole).toMatchObject({
      images: 9,
      draws: 4,
      sqa: { relu1: { lambda: 1, range: "image" }, relu2: { lambda: 2 } },
    });
    const parts = json(await sqa(...words, "--sqa", "sqa", "--batch-size", "4"));
    expect([parts.clean, parts.attacks[0].robustAccuracy]).toEqual([whole.clean, whole.attacks[0].robustAccuracy]);
    expect(json(await sqa(...words, "--sqa", "sqa(relu3=3, rounding=nearest)"))).toMatchObject({
      draws: 1,
      sqa: { relu3: { lambda: 3, rounding: "nearest" } },
    });
    expect(json(await sqa(...words, "--sqa", "none"))).toMatchObject({ draws: 1, sqa: null });
    const transfer = json(await sqa(...words, "--sqa", "--transfer-from", "twin"));
    expect(transfer).toMatchObject({ transferFrom: "twin", attacks: [{ passes: { forward: 1, backward: 1 } }] });
  });
});

describe("sqa evaluate", () => {
  it("prints a table, with warnings", async () => {
    const { code, out } = await sqa(
      ...base,
      "--attack",
      "fgsm(epsilon=0.1)",
      "--sqa",
      "sqa(range=batch)",
      "--draws",
      "2",
    );
    expect(code).toBe(0);
    expect(out).toMatch(
      /^small with SQA \(relu1=1, relu2=2\) · 20 images of mnist, test, from .*data · 2 fresh draws an image\n/,
    );
    expect(out).toMatch(
      /\nclean .*\d+\.\d\d {2,}\[\d+\.\d\d, \d+\.\d\d\] +\d+\.\d\d\nfgsm\(epsilon=0\.1\) .*\] +\d+\.\d\d +1 +1 /,
    );
    expect(out).toMatch(/\nwarning: the logits of \d+ of 16 images depend on the other images of the batch.*\n$/);
  });

  it("takes a run folder, which knows its own configuration, finished or not", async () => {
    const run = join(folder, "run");
    mkdirSync(run);
    const words = ["--data", data, "--attack", "fgsm", "--draws", "2", "--json"];
    expect((await sqa(run, ...words)).err).toMatch(/is not a run folder: it has no config.json\n$/);
    writeFileSync(join(run, "config.json"), JSON.stringify(trainConfig({ sqa: {} })));
    expect((await sqa(run, ...words)).err).toMatch(/has not reached its first checkpoint yet\n$/);
    const state = [...model.module.state()].map(
      ([name, value]) =>
        [`network.${name}`, { dtype: "float32", shape: value.shape, data: value.toArray() as Float32Array }] as const,
    );
    const checkpoint = (owner: string) =>
      writeSafetensors(join(run, "checkpoint.safetensors"), state, {
        run: owner,
        optimizerSteps: "12",
        progress: JSON.stringify({ step: 12, epochLoss: 0, epochSeconds: 0, seconds: 0 }),
      });
    checkpoint("00000000");
    expect((await sqa(run, ...words)).err).toMatch(/this checkpoint is of run 00000000, not [0-9a-f]{8}\n$/);
    checkpoint(RunFolder.open(run).identity);
    const unfinished = await sqa(run, ...words);
    expect(unfinished.err).toMatch(/is not finished: its checkpoint after step 12 is evaluated\n$/);
    expect(json(unfinished)).toMatchObject({ network: "small", draws: 2, run: { finished: false, steps: 12 } });
    const direct = json(await sqa(...base, ...words, "--sqa"));
    expect(json(unfinished).clean).toEqual(direct.clean);
    expect(json(await sqa("--sqa", run, ...words)).clean).toEqual(direct.clean);
    // Another network of the same weights: what is made on it is what is made on this one.
    const transfer = await sqa(...base, ...words, "--sqa", "--transfer-from", run);
    expect(transfer.err).toMatch(/is not finished: its checkpoint after step 12 is attacked\n$/);
    expect(json(transfer)).toMatchObject({ transferFrom: run, attacks: [{ passes: { forward: 1, backward: 1 } }] });
    expect(json(transfer).attacks[0].robustAccuracy).toEqual(direct.attacks[0].robustAccuracy);
    const twice = await sqa(...base, ...words.slice(0, 4), "--transfer-from", run);
    expect(twice.out).toContain(`attacks made on ${run}`);
    expect(json(await sqa(run, "--sqa", "none", ...words))).toMatchObject({ draws: 1, sqa: null });
    expect((await sqa(run, "--network", "large")).err).toMatch(/^error: --network cannot go with a run folder/);
  });

  it("refuses bad input of every kind in one line", async () => {
    const nan = join(folder, "nan.safetensors");
    const broken = small.build({ seed: 0 });
    noGrad(() => broken.module.state().get("fc2.bias")!.detach().mul_(Number.NaN));
    saveWeights(nan, broken.module);
    const cut = join(folder, "cut.safetensors");
    writeFileSync(cut, readFileSync(weights).subarray(0, 5000));
    const short = join(folder, "short");
    writeFolder(short, {
      "t10k-images-idx3-ubyte": idxBytes([2, 28, 28], fakeImages(1)),
      "t10k-labels-idx1-ubyte": idxBytes([2], fakeLabels(2)),
    });
    for (const [words, message] of [
      [["--weights", join(folder, "gone")], /weights file .*gone does not exist/],
      [["--weights", folder], /weights file .* is a folder/],
      [["--weights", cut], /cut\.safetensors: /],
      [["--weights", nan], /nan\.safetensors: weight "fc2\.bias" holds NaN or infinity/],
      [["--weights", weights, "--network", "large"], /small\.safetensors: .*conv1/],
      [["--weights", weights, "--network", "small(batchNorm=true)"], /small\.safetensors: .*missing: bn1/],
      [[...base, "--data", join(folder, "none")], /mnist: folder .*none does not exist/],
      [[...base, "--data", short], /t10k-images-idx3-ubyte: truncated/],
      [[...base, "--split", "train"], /has none of train-images/],
      [[join(folder, "no-run")], /run folder .*no-run does not exist/],
    ] as const) {
      const { code, out, err } = await sqa(...words);
      expect([code, out], message.source).toEqual([1, ""]);
      expect(err).toMatch(message);
      expect(err.trimEnd().split("\n"), err).toHaveLength(1);
    }
  });

  it("refuses options that cannot be, with the nearest name", async () => {
    for (const [words, message] of [
      [[], /give a run folder or --weights FILE/],
      [["--weights", weights, "--network", "smal"], /unknown network "smal"; did you mean "small"\?/],
      [[...base, "--dataset", "mnits"], /unknown data set "mnits"; did you mean "mnist"\?/],
      [["--attack", "pgdd"], /unknown attack "pgdd"; did you mean "pgd"\?/],
      [["--attack", "pgd(epsilom=0.3)"], /unknown option "epsilom"; did you mean "epsilon"\?/],
      [["--limit", "0"], /--limit cannot be 0; accepted: a whole number of at least 1/],
      [["--draws", "0"], /--draws cannot be 0/],
      [["--seed", "-1"], /--seed/],
      [["--wieghts", "x"], /did you mean "?--weights/],
      [["--sqa", "sqa(rnge=batch)"], /rnge.*range/],
      [[...base, "--sqa", "sqa(relu1=0.5)"], /"relu1":0\.5.*accepted: whole numbers in \[1, \d+\], by layer/],
      [["--sqa", "sqa(rnge=batch)", "runs/x"], /--sqa cannot be .*rnge.*range/],
      [["--weights", weights, "--sqa", "saq"], /run folder \(saq\).*--sqa takes none, sqa or sqa\(\.\.\.\)/],
      [[...base, "--limit", "21"], /--limit 21: the test split of mnist has 20 images/],
      [[...base, "--transfer-from", "twin"], /--transfer-from twin needs a randomized network/],
      [[...base, "--sqa", "sqa(relu9=1)"], /unknown layer "relu9"/],
      [[...base, "--transfer-from", "twins"], /--transfer-from twins: neither "twin" nor a run folder/],
    ] as const) {
      const { code, out, err } = await sqa(...words);
      expect([code, out], message.source).toEqual([2, ""]);
      expect(err).toMatch(message);
    }
  });
});

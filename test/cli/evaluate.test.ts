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
const model = small().build({ seed: 4 });

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

const images = `mnist(folder=${data}, checksums=false)`;
const base = [weights, "--architecture", "small", "--images", images];
const json = (result: { out: string }) => JSON.parse(result.out);

/**
 * Accuracy under sign steps in an l-infinity ball, in a few lines of its own; with 0 steps, on clean images.
 */
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
    adversarial = adversarial
      .add(gradient!.sign().mul(stepSize))
      .sub(x)
      .clamp(-epsilon, epsilon)
      .add(x)
      .clamp(0, 1);
  }
  return noGrad(() =>
    model.classifier().logits(adversarial, noise).argmax(1).eq(y).to("float32").mean().item(),
  );
}

describe("sqa evaluate --json", () => {
  it("prints one object, whose numbers are those of a direct computation", async () => {
    const attack = "pgd(epsilon=0.1, stepSize=0.05, steps=4, randomStart=false)";
    const result = await sqa(...base, "--attack", "fgsm(epsilon=0.1)", "--attack", attack, "--json");
    expect([result.code, result.err]).toEqual([0, ""]);
    expect(result.out.trimEnd().split("\n")).toHaveLength(1);
    expect(json(result)).toMatchObject({
      model: "small",
      defenses: [],
      file: weights,
      data: "mnist test",
      images: count,
      draws: 1,
      clean: { accuracy: expect.closeTo(attackedAccuracy(0, 0, 0), 6) },
      attacks: [
        { attack: "fgsm(epsilon=0.1)", robustAccuracy: expect.closeTo(attackedAccuracy(1, 0.1, 0.1), 6) },
        {
          robustAccuracy: expect.closeTo(attackedAccuracy(4, 0.05, 0.1), 6),
          passes: { forward: 4, backward: 4 },
          seconds: expect.any(Number),
        },
      ],
      worstCases: [{ norm: "linf", radius: 0.1, attacks: 2 }],
    });
    expect(json(result).clean).not.toHaveProperty("perImage");
  });

  it("draws with SQA, and does not depend on the batch size", async () => {
    const words = [...base, "--limit", "9", "--attack", "fgsm", "--draws", "4", "--json"];
    const whole = json(await sqa(...words, "--sqa"));
    expect(whole).toMatchObject({ images: 9, draws: 4, defenses: ["sqa"] });
    const parts = json(await sqa(...words, "--defense", "sqa", "--batch-size", "4"));
    expect([parts.clean, parts.attacks[0].robustAccuracy]).toEqual([
      whole.clean,
      whole.attacks[0].robustAccuracy,
    ]);
    const deterministic = json(await sqa(...words, "--defense", "deterministic-quantization(relu3=3)"));
    expect(deterministic).toMatchObject({ draws: 1, defenses: ["deterministic-quantization(relu3=3)"] });
    expect(json(await sqa(...words, "--no-defense"))).toMatchObject({ draws: 1, defenses: [] });
    const transfer = json(await sqa(...words, "--sqa", "--surrogate", "noise-free"));
    expect(transfer).toMatchObject({
      surrogate: "noise-free",
      attacks: [{ passes: { forward: 1, backward: 1 } }],
    });
  });

  it("measures clean accuracy alone where there is no attack", async () => {
    for (const words of [["--attack", "none"], ["--no-attack"]]) {
      expect(json(await sqa(...base, ...words, "--json"))).toMatchObject({ attacks: [], worstCases: [] });
    }
  });

  it("prints a list for several models", async () => {
    const both = json(await sqa(weights, ...base, "--no-attack", "--json"));
    expect(both).toEqual([json(await sqa(...base, "--no-attack", "--json")), both[0]]);
  });
});

describe("sqa evaluate", () => {
  it("prints a table, with warnings", async () => {
    const words = ["--attack", "fgsm(epsilon=0.1)", "--defense", "sqa(range=batch)", "--draws", "2"];
    const { code, out } = await sqa(...base, ...words);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^small with sqa\(range=batch\) · 20 images of mnist test · 2 fresh draws an image\n/,
    );
    expect(out).toMatch(
      /\nclean .*\d+\.\d\d {2,}\[\d+\.\d\d, \d+\.\d\d\] +\d+\.\d\d\nFGSM, eps 0\.1 .*\] +\d+\.\d\d +1 +1 /,
    );
    expect(out.replace(/\n +/g, " ")).toMatch(
      /\nwarning: the logits of \d+ of 16 images depend on the other images of the batch/,
    );
  });

  it("attacks at the usual radius of the images, with a step relative to it, where nothing else is said", async () => {
    const { attacks } = json(await sqa(...base, "--limit", "2", "--json"));
    expect(attacks.map(({ attack }: { attack: string }) => attack)).toEqual([
      "fgsm",
      expect.stringMatching(/^pgd\((.*, )?stepSize=0\.03, steps=20\)$/),
    ]);
  });

  it("tells distances of attacks that minimize one, and a worst case for each norm and radius alone", async () => {
    const given = ["pgd(epsilon=0.05, steps=2)", "fgsm(epsilon=0.05)", "fgsm(epsilon=0.3)", "ddn(steps=20)"];
    const words = [...base, ...given.flatMap((attack) => ["--attack", attack])];
    const found = json(await sqa(...words, "--attack", "rotation-translation(angles=3, shifts=3)", "--json"));
    const { distances } = found.attacks[3];
    expect(distances).toMatchObject({ norm: "l2", images: expect.any(Number) });
    expect(found.attacks.slice(0, 3).some((row: object) => "distances" in row)).toBe(false);
    expect(found.worstCases).toMatchObject([
      { norm: "linf", radius: 0.05, attacks: 2 },
      { norm: "linf", radius: 0.3, attacks: 3 },
    ]);
    const { out } = await sqa(...words);
    const [median, mean] = [distances.median.toPrecision(3), distances.mean.toPrecision(3)];
    expect(out).toMatch(/\nattack .* distance, median \/ mean /);
    expect(out).toMatch(new RegExp(`\nDDN-20 .* l2 ${median} / ${mean} `));
    expect(out).toMatch(
      /\nworst case of each image, linf 0\.05 .*\]\nworst case of each image, linf 0\.3 .*\]\n/,
    );
  });

  it("compares several models in a row each", async () => {
    const other = join(folder, "other.safetensors");
    saveWeights(other, small().build({ seed: 5 }).module);
    const { out } = await sqa(other, ...base, "--attack", "fgsm(epsilon=0.1)");
    expect(out).toMatch(/^other\.safetensors · small · 20 images [\s\S]*\nsmall\.safetensors · small · 20 /);
    expect(out).toMatch(
      /\naccuracy in % +clean +FGSM, eps 0\.1 +worst case, linf 0\.1\n─+\nother\.safetensors .*\nsmall\.safetensors .*\n$/,
    );
  });

  it.each([80, 120])("fits %i columns, and breaks no word of a table or a warning", async (columns) => {
    using captured = captureOutput({ terminal: true, columns, environment: { NO_COLOR: "1" } });
    const attack = "pgd(epsilon=0.1, stepSize=0.025, steps=3, restarts=2, loss=dlr, labels=predicted)";
    const words = ["evaluate", ...base, "--sqa", "--draws", "2", "--attack", attack];
    expect(await main([...words, "--verbose"])).toBe(0);
    const lines = captured.stdout.text.trimEnd().split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    const shown = new Set(captured.stdout.text.split(/\s+/));
    for (const word of attack.split(" ").slice(1, -1)) expect(shown).toContain(word);
    expect(shown.has("forward")).toBe(columns === 120);
  });

  it("takes a run folder, which knows its own configuration, finished or not", async () => {
    const run = join(folder, "run");
    mkdirSync(run);
    const words = ["--attack", "fgsm", "--draws", "2", "--json"];
    expect((await sqa(run, ...words)).err).toMatch(/is not a run folder: it has no config.json\n$/);
    const config = trainConfig({
      model: "small",
      data: "mnist",
      defenses: ["sqa"],
      method: "fgsm(epsilon=0.1)",
    });
    writeFileSync(join(run, "config.json"), JSON.stringify({ ...config, data: images }));
    expect((await sqa(run, ...words)).err).toMatch(/has not reached its first checkpoint yet\n$/);
    const state = [...model.module.state()].map(
      ([name, value]) =>
        [
          `network.${name}`,
          { dtype: "float32", shape: value.shape, data: value.toArray() as Float32Array },
        ] as const,
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
    expect(json(unfinished)).toMatchObject({ model: "small", draws: 2, run: { finished: false, steps: 12 } });
    const direct = json(await sqa(...base, ...words, "--sqa"));
    expect(json(unfinished).clean).toEqual(direct.clean);
    expect(json(await sqa("--sqa", run, ...words)).clean).toEqual(direct.clean);
    // Another model of the same weights: what is made on it is what is made on this one.
    const transfer = await sqa(...base, ...words, "--sqa", "--surrogate", run);
    expect(transfer.err).toMatch(/is not finished: its checkpoint after step 12 is attacked\n$/);
    expect(json(transfer)).toMatchObject({
      surrogate: run,
      attacks: [{ passes: { forward: 1, backward: 1 } }],
    });
    const twice = await sqa(...base, ...words.slice(0, 4), "--surrogate", run);
    expect(twice.out.replace(/\n +/, " ")).toContain(`attacks made on ${run}`);
    expect(json(await sqa(run, "--no-defense", ...words))).toMatchObject({ draws: 1, defenses: [] });
    // By default it is attacked at the radius that it trained for.
    const { attacks } = json(await sqa(run, "--draws", "1", "--limit", "2", "--json"));
    for (const { attack } of attacks) expect(attack).toMatch(/epsilon=0\.1[,)]/);
  });

  it("refuses bad input of every kind in one line", async () => {
    const nan = join(folder, "nan.safetensors");
    const broken = small().build({ seed: 0 });
    noGrad(() => broken.module.state().get("fc2.bias")!.detach().mul_(Number.NaN));
    saveWeights(nan, broken.module);
    const cut = join(folder, "cut.safetensors");
    writeFileSync(cut, readFileSync(weights).subarray(0, 5000));
    const short = join(folder, "short");
    writeFolder(short, {
      "t10k-images-idx3-ubyte": idxBytes([2, 28, 28], fakeImages(1)),
      "t10k-labels-idx1-ubyte": idxBytes([2], fakeLabels(2)),
    });
    const of = (file: string, architecture = "small") => [
      file,
      "--architecture",
      architecture,
      "--images",
      images,
    ];
    for (const [words, message] of [
      [of(join(folder, "gone.safetensors")), /weights file .*gone\.safetensors does not exist/],
      [[folder], /is not a run folder/],
      [of(cut), /cut\.safetensors: /],
      [of(nan), /nan\.safetensors: weight "fc2\.bias" holds NaN or infinity/],
      [of(weights, "large"), /small\.safetensors: .*conv1/],
      [[...base, "--images", "cifar10"], /weight "conv1\.weight" must have shape \[16, 3, 3, 3\]/],
      [of(weights, "small(batchNorm=true)"), /small\.safetensors: .*missing: bn1/],
      [
        [...base.slice(0, 3), "--images", `mnist(folder=${folder}/none)`],
        /mnist: folder .*none does not exist/,
      ],
      [[...base.slice(0, 3), "--images", `mnist(folder=${short})`], /t10k-images-idx3-ubyte: truncated/],
      [[...base, "--split", "train"], /has none of train-images/],
      [
        [join(folder, "no-run")],
        /no-run does not exist: give a run folder, exported model \(\.pt2, \.onnx\), weights \(\.safetensors,/,
      ],
      [
        [...base, "--images", "photos/"],
        /--images: photos\/ does not exist: give a folder with one folder for each class, IDX files/,
      ],
      [["nowhere.pt2", "--images", images], /model nowhere\.pt2 does not exist/],
      [["nowhere.mjs", "--images", images], /module nowhere\.mjs does not exist/],
      [["model.onnx", "--images", images], /model model\.onnx does not exist/],
    ] as const) {
      const { code, out, err } = await sqa(...words);
      // What a file holds is told from what fails otherwise.
      const isOfFile = /: .*(safetensors|truncated)|not a run folder|weight "conv1/.test(err);
      const isMissing = /does not exist/.test(err);
      expect([code, out], err).toEqual([isMissing ? 66 : isOfFile ? 65 : 1, ""]);
      expect(err).toMatch(message);
      expect(err.trimEnd().split("\n"), err).toHaveLength(1);
    }
  });

  it("refuses options that say nothing of a run, unless another model takes them", async () => {
    const run = join(folder, "run");
    for (const [words, message] of [
      [["--architecture", "resnet18"], "--architecture is for weights in a file, and for runs of a network"],
      [["--key", "state_dict"], "--key is for weights in a file; run"],
      [["--prefix", "model."], "--prefix is for weights in a file; run"],
      [["--normalize", "imagenet"], "--normalize is for exported models (.pt2, .onnx); run"],
      [["--exact-gradients"], "--exact-gradients is for exported models (.pt2, .onnx); run"],
    ] as const) {
      const { code, err } = await sqa(run, ...words, "--attack", "none");
      expect([code, err]).toEqual([64, expect.stringContaining(message)]);
      expect(err).toContain("run knows its own network, small");
    }
    const both = await sqa(run, ...base, "--attack", "none", "--draws", "2");
    expect(both.code, both.err).toBe(0);
  });

  it("refuses options that cannot be, with the nearest name or the way to go on", async () => {
    for (const [words, message] of [
      [
        [],
        /missing model: run folder, exported model \(\.pt2, \.onnx\), weights \(\.safetensors, \.pt, \.pth\)/,
      ],
      [
        [weights],
        /small\.safetensors: say what its weights are of: give --architecture a name such as resnet18/,
      ],
      [[weights, "--architecture", "small"], /give --images, such as mnist/],
      [["small", "--images", images], /small is an architecture, which has no weights/],
      [["model.pt"], /model\.pt: say what its weights are of: give --architecture a name such as resnet18/],
      [[weights, "--architecture", "smal"], /unknown model "smal"; did you mean "small"\?/],
      [[...base, "--images", "mnits"], /unknown data set "mnits"; did you mean "mnist"\?/],
      [[...base, "--attack", "pgdd"], /unknown attack "pgdd"; did you mean "pgd"\?/],
      [[...base, "--attack", "pgd(eps=0.3)"], /unknown option "eps"; did you mean "epsilon"\?/],
      [[...base, "--limit", "0"], /--limit cannot be 0; accepted: a whole number of at least 1/],
      [[...base, "--draws", "0"], /--draws cannot be 0/],
      [[...base, "--seed", "-1"], /--seed/],
      [[...base, "--imagse", "x"], /did you mean "--images"/],
      [[...base, "--network", "x"], /did you mean "--architecture"/],
      [[...base, "--dataset", "x"], /did you mean "--images"/],
      [[...base, "--defense", "sqqa"], /unknown defense "sqqa"; did you mean "sqa"\?/],
      [[...base, "--defense", "sqa(rnge=batch)"], /rnge/],
      [[...base, "--defense", "sqa(relu9=1)"], /unknown layer "relu9"/],
      [[...base, "--limit", "21"], /limit: mnist test has 20 images, not 21/],
      [[...base, "--surrogate", "noise-free"], /--surrogate noise-free: model small has none of its own/],
      [[...base, "--sqa", "--surrogate", "noise-fre"], /--surrogate noise-fre: model small has noise-free/],
    ] as const) {
      const { code, out, err } = await sqa(...words);
      expect([code, out], `${message.source}\n${err}`).toEqual([64, ""]);
      expect(err).toMatch(message);
    }
  });
});

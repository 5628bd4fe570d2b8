import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { readSafetensors } from "../../src/files/index.js";
import { RunFolder } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-train-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = writeDigits(folder, { train: 60, test: 10 });

const images = `mnist(folder=${data}, checksums=false)`;

/**
 * Words that come before the ones under test: a small data set, runs apart from others, and one step an
 * epoch.
 */
const base = ["--model", "small", "--images", images, "--threads", "1", "--batch-size", "60"];
const brief = [...base, "--epochs", "2", "--validation-attack", "fgsm(epsilon=0.1)"];

async function sqaTrain(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["train", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const configOf = (out: string) => RunFolder.open(out.trim()).config;

describe("sqa train", () => {
  test("prints the run's folder, and for people a line an epoch and the next command", async () => {
    const { code, out, err } = await sqaTrain(...brief, "--sqa", "--runs", join(folder, "plain"));
    expect(code).toBe(0);
    expect(out).toMatch(/^\S*\/plain\/mnist-small-sqa-fgsm-seed0-[0-9a-f]{8}\n$/);
    expect(err).toMatch(/^run \S+: 98442 weights, 2 steps in 2 epochs\n/);
    expect(err).toMatch(/\naccuracies after each epoch: of \d+ training images; none held out\n/);
    const epoch = String.raw`  loss \d+\.\d{4}  clean \d+\.\d %  FGSM, eps 0\.1 \d+\.\d %  \d+\.\d ms a step\n`;
    // On a busy machine a line says how long the training took.
    const slow = "(training: took [^\n]*\n)?";
    expect(err).toMatch(
      new RegExp(`\nepoch 1/2${epoch}[\\s\\S]*epoch 2/2${epoch}${slow}trained in [^\n]*\n`),
    );
    expect(err).toContain(`next: npx sqa evaluate ${out}`);
  });

  test("says at once that a run is finished, also when it is given as a folder or by its configuration", async () => {
    const runs = ["--runs", join(folder, "plain")];
    const again = await sqaTrain(...brief, "--sqa", ...runs);
    expect(again.code).toBe(0);
    expect(again.err).toMatch(/^finished already, in \d/);
    const file = join(again.out.trim(), "config.json");
    for (const words of [["--config", file, ...runs], [again.out.trim()]]) {
      expect(await sqaTrain(...words, "--quiet")).toEqual({ code: 0, out: again.out, err: "" });
    }
  });

  test("takes the flags over the preset, and the preset over the defaults", async () => {
    const runs = ["--runs", join(folder, "preset"), "--quiet"];
    const { out } = await sqaTrain(
      ...base,
      "--preset",
      "paper",
      "--epochs",
      "1",
      "--validation-attack",
      "none",
      ...runs,
    );
    const config = configOf(out);
    expect(config).toMatchObject({
      epochs: 1,
      cleanWeight: 0.5,
      batchSize: 60,
      validationAttacks: [],
      defenses: [],
    });
    expect(String(config.schedule)).toBe("step");
  });

  test.each([
    [["--sqa"], ["sqa"]],
    [["--defense", "none"], []],
    [["--no-defense"], []],
    [["--defense", "sqa(range=batch)"], ["sqa(range=batch)"]],
    [
      ["--sqa", "--defense", "binary-weights"],
      ["sqa", "binary-weights"],
    ],
  ])("reads %j", async (flags, defenses) => {
    const words = [
      ...brief,
      "--epochs=1",
      "--limit",
      "20",
      ...flags,
      "--runs",
      join(folder, "sqa"),
      "--quiet",
    ];
    expect(configOf((await sqaTrain(...words)).out).defenses.map(String)).toEqual(defenses);
  });

  test("validates at the epsilon that the method trains for", async () => {
    const words = [
      ...base,
      "--epochs=1",
      "--limit=20",
      "--method",
      "fgsm(epsilon=8/255)",
      "--runs",
      join(folder, "radius"),
    ];
    const { validationAttacks } = configOf((await sqaTrain(...words, "--quiet")).out);
    expect(validationAttacks.map(({ options }) => options.epsilon)).toEqual([8 / 255, 8 / 255]);
    expect(validationAttacks[1]!.options.stepSize).toBeCloseTo(0.8 / 255, 12);
  });

  test("reads a file of options, whose values are texts", async () => {
    const file = join(folder, "run.yaml");
    const text = [
      "model: small",
      `images: ${images}`,
      "defense: [sqa(range=channel)]",
      "method: n-fgsm(epsilon=8/255)",
    ];
    writeFileSync(file, `${text.join("\n")}\nepochs: 9\nlimit: none\nseed: 3\n`);
    const { out } = await sqaTrain(...brief, "--config", file, "--runs", join(folder, "file"), "--quiet");
    const config = configOf(out);
    expect(config).toMatchObject({ epochs: 2, limit: null, seed: 3 });
    expect([...config.defenses, config.method].map(String)).toEqual([
      "sqa(range=channel)",
      "n-fgsm(epsilon=8/255)",
    ]);
  });

  test("prints its events as lines of JSON", async () => {
    const { code, out, err } = await sqaTrain(...brief, "--json", "--runs", join(folder, "json"));
    expect([code, err]).toEqual([0, ""]);
    const events = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map(({ type }) => type)).toEqual(
      ["start", "step", "epoch", "checkpoint", "step", "epoch", "checkpoint", "end"].filter((type) =>
        events.some((event) => event.type === type),
      ),
    );
    expect(events.at(-1)).toMatchObject({
      type: "end",
      run: expect.stringContaining("mnist-small-plain-fgsm"),
    });
  });

  test("begins with the weights of a run or of a file", async () => {
    const runs = ["--runs", join(folder, "begun"), "--quiet"];
    const first = (await sqaTrain(...brief, "--sqa", ...runs)).out.trim();
    const still = [
      "--schedule",
      "constant(peak=1e-30)",
      "--optimizer",
      "sgd(weightDecay=0)",
      "--epochs",
      "1",
    ];
    const sums = (run: string) =>
      [...readSafetensors(join(run.trim(), "weights.safetensors")).tensors].map(([name, { data }]) => [
        name,
        createHash("sha256").update(data).digest("hex"),
      ]);
    const second = await sqaTrain("--model", first, ...still, ...runs, "--threads", "1");
    expect(second.code, second.err).toBe(0);
    expect(sums(second.out)).toEqual(sums(first));
    // Defenses and images stay the run's where nothing else is said.
    expect(configOf(second.out).defenses.map(String)).toEqual(["sqa"]);
    const file = join(first, "weights.safetensors");
    const words = ["--model", file, "--architecture", "small", "--images", images, ...still, ...runs];
    expect(sums((await sqaTrain(...words, "--threads", "1")).out)).toEqual(sums(first));
  });

  test("takes the name of an architecture for it, and not for a folder without a model", async () => {
    const [before, top] = [process.cwd(), join(folder, "names")];
    mkdirSync(join(top, "small"), { recursive: true });
    process.chdir(top);
    try {
      const first = await sqaTrain(...brief, "--runs", "plain");
      expect(first.code, first.err).toBe(0);
      cpSync(first.out.trim(), "small", { recursive: true });
      const refused = await sqaTrain(...brief, "--runs", "plain");
      const ways = "give ./small for the folder, or small() for the architecture";
      expect([refused.code, refused.err]).toEqual([64, expect.stringContaining(ways)]);
      const words = [...brief.slice(2), "--runs", "plain"];
      expect((await sqaTrain("--model", "small()", ...words)).out).toBe(first.out);
      const second = await sqaTrain("--model", "./small", ...words);
      expect(configOf(second.out).initialWeights).toBeDefined();
    } finally {
      process.chdir(before);
    }
  });

  test.each([
    ["--method pdg", 64, '--method cannot be "pdg": unknown training method "pdg"; did you mean "pgd"?'],
    ["--model smal", 64, '--model cannot be "smal": unknown model "smal"; did you mean "small"?'],
    ["--model ./nowhere.mjs", 66, "--model ./nowhere.mjs: there is no such file or folder"],
    ["--model runs/nowhere", 66, "--model runs/nowhere: there is no such file or folder"],
    ["--model no.pth --architecture small", 66, "--model no.pth: there is no such file or folder"],
    ["--model model.pt2", 66, "--model model.pt2: there is no such file or folder"],
    ["--out hardened.pt2", 64, "--out hardened.pt2: it is for exported models, such as --model model.pt2"],
    [
      "--model w.safetensors",
      64,
      "w.safetensors: say what its weights are of: give --architecture a name such as resnet18",
    ],
    ["--defense sqa(rnge=batch)", 64, "rnge"],
    ["--defense all", 64, 'unknown defense "all"'],
    ["--defense sqa(relu9=1)", 64, 'unknown layer "relu9"; did you mean "relu'],
    ["--preset pape", 64, '--preset cannot be "pape"; accepted: paper | mnist-short'],
    ["--epochs 0", 64, "--epochs cannot be 0; accepted: a whole number of at least 1"],
    ["--validation-attack fgsm --validation-attack pgd(", 64, '--validation-attack cannot be "pgd("'],
    ["--epoch 3", 64, "unknown option '--epoch'; did you mean \"--epochs\"?"],
    ["--network small", 64, "unknown option '--network'; did you mean \"--model\"?"],
    ["--limit 61", 64, "limit must be at most 60, not 61"],
    ["--images mnist(folder=/nowhere)", 66, "mnist: folder /nowhere does not exist"],
    ["--device cuda:99", 64, "device cuda:99 is not there"],
  ])("refuses %s", async (words, code, message) => {
    const runs = join(folder, "refused");
    const given = await sqaTrain(...brief, "--runs", runs, ...words.split(" "));
    expect([given.code, given.out], given.err).toEqual([code, ""]);
    expect(given.err).toContain(message);
    expect(existsSync(runs)).toBe(false);
  });

  test("asks for what neither options nor a preset say", async () => {
    expect((await sqaTrain()).err).toMatch(/^error: give --model, such as small, or a --preset that says it/);
    expect((await sqaTrain("--model", "small")).err).toMatch(/^error: give --images, such as mnist, or/);
  });

  test("goes on with a run as it was begun, and with no other", async () => {
    const { out } = await sqaTrain(...brief, "--sqa", "--runs", join(folder, "plain"), "--quiet");
    const run = out.trim();
    const refused = async (...words: string[]) => {
      const { code, err } = await sqaTrain(...words);
      return [code, err];
    };
    expect(await refused(run, "--epochs", "3")).toEqual([
      64,
      expect.stringContaining("--epochs cannot go with a run folder"),
    ]);
    expect(await refused(run, "--images", "cifar10")).toEqual([
      64,
      expect.stringContaining("is trained on mnist"),
    ]);
    expect(await refused(join(folder, "nowhere"))).toEqual([
      66,
      expect.stringContaining("nowhere does not exist"),
    ]);
    const link = join(folder, "best");
    symlinkSync(run, link);
    expect(await sqaTrain(link)).toMatchObject({ code: 0, out });
    const renamed = join(folder, "plain", "renamed");
    cpSync(run, renamed, { recursive: true });
    expect(await refused(renamed)).toEqual([
      1,
      expect.stringMatching(/renamed was renamed: rename it back to \S*mnist-small-sqa/),
    ]);
  });

  test("goes on with a run whose data set lies in another folder by now", async () => {
    const [before, after] = [join(folder, "before"), join(folder, "after")];
    cpSync(data, before, { recursive: true });
    const of = (place: string) => ["--images", `mnist(folder=${place}, checksums=false)`];
    const runs = join(folder, "moved");
    const { out } = await sqaTrain(...brief, ...of(before), "--runs", runs, "--quiet");
    const run = out.trim();
    // As of a run that was killed before its end.
    for (const name of ["result.json", "weights.safetensors"]) rmSync(join(run, name));
    renameSync(before, after);
    expect(await sqaTrain(run)).toMatchObject({ code: 66, err: expect.stringContaining("does not exist") });
    const again = await sqaTrain(run, ...of(after));
    expect(again, again.err).toMatchObject({ code: 0, out });
    expect(again.err).toContain(`next: npx sqa evaluate ${run} --images 'mnist(folder=${after}, checksums`);
  });

  test("shows an alarm, also with --quiet", async () => {
    const diverging = [
      "--optimizer",
      "sgd",
      "--schedule",
      "constant(peak=1e38)",
      "--runs",
      join(folder, "alarm"),
    ];
    const { code, err } = await sqaTrain(...brief, ...diverging, "--quiet");
    expect(code).toBe(1);
    expect(err).toContain(
      "ALARM in epoch 1: the model's output is not finite after step 1: lower the learning rate",
    );
    expect(err).toContain("error: training stopped: ");
  });
});

test("Ctrl-C stops at a step, saves, and says how to go on; the run then ends as an unbroken one", async () => {
  const words = [...brief, "--epochs=3", "--batch-size=2", "--limit=40", "--checkpoint-seconds=1000"];
  const child = new SqaProcess(["train", ...words, "--runs", join(folder, "stopped")]);
  while (!child.stderr.includes("epoch 1/3") && child.running) await sleep(2);
  child.kill("SIGINT");
  expect([await child.ended(), child.stdout], child.stderr).toEqual([75, ""]);
  const [, step, command] =
    /\nstopped and saved after step (\d+); the same command resumes the run, or: npx sqa train (.*)\n$/.exec(
      child.stderr,
    )!;
  expect(Number(step)).toBeLessThan(60);
  const resumed = await sqaTrain(...command!.split(" "));
  expect(resumed.err).toContain(`going on after step ${step}\n`);
  const unbroken = await sqaTrain(...words, "--runs", join(folder, "unbroken"), "--quiet");
  const weights = (out: string) => readFileSync(join(out.trim(), "weights.safetensors"));
  expect(weights(resumed.out).equals(weights(unbroken.out))).toBe(true);
});

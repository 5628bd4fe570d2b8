import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { RunFolder } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-train-"));
afterAll(() => rmSync(folder, { recursive: true }));
const data = writeDigits(folder, { train: 60, test: 10 });

/** Words that come before the ones under test: a small data set, runs apart from others, and one step an epoch. */
const base = ["--data", data, "--no-checksums", "--threads", "1", "--batch-size", "60"];
const brief = [...base, "--epochs", "2", "--probes", "fgsm(epsilon=0.1)"];

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
    const epoch = String.raw`  loss \d+\.\d{4}  clean \d+\.\d %  fgsm\(epsilon=0\.1\) \d+\.\d %  \d+\.\d ms a step\n`;
    expect(err).toMatch(new RegExp(`\nepoch 1/2${epoch}[\\s\\S]*epoch 2/2${epoch}trained in [^\n]*\n`));
    expect(err).toContain(`next: npx sqa evaluate ${out}`);
  });

  test("says at once that a run is finished, also when its configuration is given as a file", async () => {
    const runs = ["--runs", join(folder, "plain")];
    const again = await sqaTrain(...brief, "--sqa", ...runs);
    expect(again.code).toBe(0);
    expect(again.err).toMatch(/^finished already, in \d/);
    const file = join(again.out.trim(), "config.json");
    const same = await sqaTrain("--config", file, ...runs, "--quiet", "--no-checksums", "--data", data);
    expect(same).toEqual({ code: 0, out: again.out, err: "" });
  });

  test("takes the flags over the preset, and the preset over the defaults", async () => {
    const runs = ["--runs", join(folder, "preset"), "--quiet"];
    const { out } = await sqaTrain(...base, "--preset", "paper", "--epochs", "1", "--probes", "none", ...runs);
    expect(configOf(out)).toMatchObject({ epochs: 1, cleanShare: 0.5, batchSize: 60, probes: [], sqa: null });
    expect(configOf(out).schedule).toBe("step(peak=0.1, epochs=30, factor=0.1)");
  });

  test.each([
    ["--sqa", { layers: { relu1: 1, relu2: 2 }, range: "image", rounding: "stochastic" }],
    ["--sqa=none", null],
    ["--no-sqa", null],
    ["--sqa=sqa(range=batch)", { layers: { relu1: 1, relu2: 2 }, range: "batch", rounding: "stochastic" }],
    ["--sqa=sqa(relu3=3, rounding=nearest)", { layers: { relu3: 3 }, range: "image", rounding: "nearest" }],
  ])("reads %s", async (flag, sqa) => {
    const { out } = await sqaTrain(
      ...brief,
      "--epochs=1",
      "--limit",
      "20",
      flag,
      "--runs",
      join(folder, "sqa"),
      "--quiet",
    );
    expect(configOf(out).sqa).toEqual(sqa);
  });

  test("reads a file of options, in which SQA may be a mapping", async () => {
    const file = join(folder, "run.yaml");
    writeFileSync(file, "sqa:\n  range: channel\nmethod: n-fgsm(epsilon=8/255)\nepochs: 9\nlimit: none\nseed: 3\n");
    const { out } = await sqaTrain(...brief, "--config", file, "--runs", join(folder, "file"), "--quiet");
    expect(configOf(out)).toMatchObject({ sqa: { range: "channel" }, epochs: 2, limit: null, seed: 3 });
    expect(configOf(out).method).toBe("n-fgsm(epsilon=8/255, noise=2)");
  });

  test.each([
    ["--method pdg", 2, '--method cannot be "pdg": unknown training method "pdg"; did you mean "pgd"?'],
    ["--network smal", 2, 'unknown network "smal"; did you mean "small"?'],
    ["--sqa sqa(rnge=batch)", 2, 'unknown option "rnge"; did you mean "range"?'],
    ["--sqa all", 2, '--sqa cannot be "all": expected none, sqa or options as in "sqa(range=batch)"'],
    ["--sqa sqa(relu9=1)", 2, 'unknown layer "relu9"; did you mean "relu'],
    ["--preset pape", 2, '--preset cannot be "pape"; accepted: paper | short'],
    ["--epochs 0", 2, "--epochs cannot be 0; accepted: a whole number of at least 1"],
    ["--probes fgsm --probes pgd(", 2, '--probes cannot be "pgd("'],
    ["--epoch 3", 2, "unknown option '--epoch'; did you mean \"--epochs\"?"],
    ["--limit 61", 2, "limit must be at most 60, not 61"],
    ["--data /nowhere", 1, "mnist: folder /nowhere does not exist"],
  ])("refuses %s", async (words, code, message) => {
    const runs = join(folder, "refused");
    const given = await sqaTrain(...brief, "--runs", runs, ...words.split(" "));
    expect([given.code, given.out]).toEqual([code, ""]);
    expect(given.err).toContain(message);
    expect(existsSync(runs)).toBe(false);
  });

  test("shows an alarm, also with --quiet", async () => {
    const words = [
      ...brief,
      "--optimizer",
      "sgd",
      "--schedule",
      "constant(peak=1e38)",
      "--runs",
      join(folder, "alarm"),
    ];
    const { code, err } = await sqaTrain(...words, "--quiet");
    expect(code).toBe(1);
    expect(err).toContain("ALARM in epoch 1: the network's output is not finite after step 1: lower the learning rate");
    expect(err).toContain("error: training stopped: ");
  });
});

test("Ctrl-C stops at a step, saves, and says how to go on; the run then ends as an unbroken one", async () => {
  const words = [...brief, "--epochs=3", "--batch-size=2", "--limit=40", "--checkpoint-seconds=1000"];
  const child = new SqaProcess(["train", ...words, "--runs", join(folder, "stopped")]);
  while (!child.stderr.includes("epoch 1/3") && child.running) await sleep(2);
  child.kill("SIGINT");
  expect([await child.ended(), child.stdout], child.stderr).toEqual([130, ""]);
  const [, step, command] =
    /\nstopped and saved after step (\d+); the same command goes on, or: npx sqa train (.*)\n$/.exec(child.stderr)!;
  expect(Number(step)).toBeLessThan(60);
  const resumed = await sqaTrain(...command!.split(" "));
  expect(resumed.err).toContain(`going on after step ${step}\n`);
  const unbroken = await sqaTrain(...words, "--runs", join(folder, "unbroken"), "--quiet");
  const weights = (out: string) => readFileSync(join(out.trim(), "weights.safetensors"));
  expect(weights(resumed.out).equals(weights(unbroken.out))).toBe(true);
});

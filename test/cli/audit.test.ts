import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../src/cli/main.js";
import { setThreads } from "../../src/engine/index.js";
import { readSafetensors } from "../../src/files/index.js";
import { train } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-audit-"));
let data = "";
let run = "";

beforeAll(async () => {
  setThreads(1);
  data = writeDigits(folder, { train: 256, test: 20 });
  const config = { network: "small", sqa: {}, epochs: 1, probes: [], limit: 256, method: "fgsm(epsilon=0.1)" };
  for await (const event of train(config, { runs: join(folder, "runs"), data, checksums: false })) {
    if (event.type === "end") run = event.run;
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["audit", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("sqa audit", () => {
  it("writes a verdict, the numbers, a page and the images", { timeout: 300_000 }, async () => {
    const out = join(folder, "report");
    const result = await sqa(
      run,
      "--budget",
      "quick",
      "--limit",
      "2",
      "--seed",
      "7",
      "--data",
      data,
      "--out",
      out,
      "--json",
    );
    expect(result.err).toContain("attacks and probes; working out how long they take\nat most about");
    expect(result.code, result.err).toBe(0);
    const found = JSON.parse(result.out);
    expect(found).toEqual(JSON.parse(readFileSync(join(out, "audit.json"), "utf8")));
    expect(found).toMatchObject({ norm: "linf", epsilon: 0.1, images: 2 });
    const placed = { lambda: 1, range: "image", rounding: "stochastic" };
    expect(found).toMatchObject({
      network: "small",
      dataset: "mnist",
      split: "test",
      seed: 7,
      batchSize: 50,
      transfers: [],
    });
    expect(found.sqa).toEqual({ relu1: placed, relu2: { ...placed, lambda: 2 } });
    expect(found.perImage).toHaveLength(2);
    const page = readFileSync(join(out, "audit.html"), "utf8");
    expect(page).toContain(found.verdict);
    expect(page).toContain("<svg");
    for (const title of ["epsilon", "steps", "restarts", "averaged draws"]) {
      expect(page).toContain(`>Accuracy against ${title}</text>`);
    }
    for (const curve of [
      "FGSM",
      "PGD on the twin",
      "FMN",
      "FAB",
      "HopSkipJump",
      "worst case of all",
      "claimed attack",
    ]) {
      expect(page).toContain(`>${curve}</text>`);
    }
    expect(found.curves.map(({ name }: { name: string }) => name)).toContain("FAB");
    expect(found.convergence.map(({ against }: { against: string }) => against)).toContain("draws");
    expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
    const { tensors } = readSafetensors(join(out, "images", "worst.safetensors"));
    const worst = tensors.get("images")!.data as Float32Array;
    const png = decode(readFileSync(join(out, "images", "00001.png")));
    expect([png.width, png.height, png.channels]).toEqual([28, 28, 1]);
    expect([...png.data]).toEqual([...worst.slice(784)].map((pixel) => Math.round(255 * pixel)));
    // An earlier report's image goes, what somebody else put there stays.
    for (const name of ["00017.png", "mine.png"]) writeFileSync(join(out, "images", name), "");
    const again = await sqa(run, "--budget", "quick", "--limit", "2", "--seed", "7", "--data", data, "--out", out);
    expect(again.out).toContain(`verdict: ${found.verdict}`);
    expect(readdirSync(join(out, "images")).sort()).toEqual([
      "00000.png",
      "00001.png",
      "mine.png",
      "worst.safetensors",
    ]);
    // A verdict on two images must not look like more than it is.
    expect(again.out).toContain("nothing is proved on fewer than 6 images");
    expect(page).toContain("Nothing is proved on fewer than 6 images");
    expect(page).toContain("Seed 7, network small with SQA after relu1 (lambda 1, range image, stochastic)");
    expect(again.err).toContain("at most about 0 s");
    // What was found is kept under a name of its own, so that another audit in the same folder takes nothing from it.
    expect(readdirSync(out)).toContainEqual(expect.stringMatching(/^audit-quick-[0-9a-f]{8}$/));
  });

  it.each([
    ["an attack", 20_000, "at most about", 3000],
    ["the estimate of how long it takes", 1_000_000, "working out how long", 500],
  ])("stops within %s that would take minutes", { timeout: 120_000 }, async (where, steps, begun, moment) => {
    const out = join(folder, `stopped-${steps}`);
    const claim = `pgd(epsilon=0.1, steps=${steps})`;
    const words = ["--budget", "quick", "--limit", "20", "--claim", claim, "--data", data, "--out", out];
    const child = new SqaProcess(["audit", run, ...words]);
    while (!child.stderr.includes(begun) && child.running) await sleep(20);
    await sleep(moment);
    expect(child.running, child.stderr).toBe(true);
    child.kill("SIGINT");
    const asked = performance.now();
    expect(await child.ended(), child.stderr).toBe(130);
    expect(performance.now() - asked, where).toBeLessThan(10_000);
    expect(child.stderr).toContain("stopping; once more to end at once\n");
  });

  it.each([
    [[], "give a run folder, or --self-test", 2],
    [["nowhere"], "run folder nowhere does not exist", 1],
    [["RUN", "--self-test"], "--self-test takes no run folder", 2],
    [["RUN", "--budget", "huge"], "quick", 2],
    [["RUN", "--claim", "pgd(epsilon=0.3)"], "is not of linf radius 0.1", 2],
    [["RUN", "--claim", "pgd(epsilon=0.05)"], "is not of linf radius 0.1", 2],
    [["RUN", "--claim", "cw-l2()"], "is not of linf radius 0.1", 2],
    [["RUN", "--epsilon", "0"], "epsilon", 2],
    [
      ["RUN", "--epsilon", "8"],
      "--epsilon 8: an l-infinity radius is at most 1; gray levels are written as in 8/255",
      2,
    ],
    [["RUN", "--norm", "l2"], "give --epsilon: training's radius is none in l2", 2],
    [["RUN", "--data", "DATA", "--limit", "21"], "--limit 21: the test split has 20 images", 2],
    [
      ["RUN", "--data", "DATA", "--budget", "full"],
      "--budget full takes 1000 images: the test split has 20 images; give --limit 20 at most",
      2,
    ],
    [["--self-test", "--budget", "quick"], "--self-test cannot be given together with --budget", 2],
    [["--self-test", "--limit", "3"], "--self-test cannot be given together with --limit", 2],
    [["--self-test", "--transfer-from", "x"], "--self-test cannot be given together with --transfer-from", 2],
    [["--self-test", "--claim", "fgsm()"], "--self-test cannot be given together with --claim", 2],
    [["RUN", "--transfer-from", "nowhere"], "run folder nowhere does not exist", 1],
    [["RUN", "--transfer-from", "RUN", "--transfer-from", "RUN"], "another folder of that name was given already", 2],
  ] as const)("refuses %j", async (words, message, code) => {
    const result = await sqa(...words.map((word) => ({ RUN: run, DATA: data })[word as string] ?? word));
    expect(result.err).toContain(message);
    expect([result.code, result.out]).toEqual([code, ""]);
  });
});

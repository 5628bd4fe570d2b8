import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fgsm } from "../../src/attacks/index.js";
import { main } from "../../src/cli/main.js";
import { datasets } from "../../src/datasets/index.js";
import { sqa } from "../../src/defenses/index.js";
import { setThreads } from "../../src/engine/index.js";
import { readSafetensors } from "../../src/files/index.js";
import { small } from "../../src/models/index.js";
import { train } from "../../src/training/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";
import { SqaProcess } from "./sqa-process.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-audit-"));
let images = "";
let run = "";

beforeAll(async () => {
  setThreads(1);
  const data = writeDigits(folder, { train: 256, test: 20 });
  images = `mnist(folder=${data}, checksums=false)`;
  const method = fgsm({ epsilon: 0.1 });
  const config = {
    model: small(),
    data: datasets.parse(images),
    defenses: [sqa()],
    method,
    validationAttacks: [],
  };
  run = (await train({ ...config, epochs: 1, limit: 256 }, { runs: join(folder, "runs") })).folder;
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sqaAudit(...words: string[]) {
  using captured = captureOutput();
  const code = await main(["audit", ...words]);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

describe("sqa audit", () => {
  it("writes a verdict, the numbers, a page and the images", { timeout: 300_000 }, async () => {
    const out = join(folder, "report");
    const words = [run, "--budget", "quick", "--limit", "2", "--seed", "7", "--out", out];
    const result = await sqaAudit(...words, "--json");
    expect(result.err).toMatch(/^\d+ attacks; their time is being estimated\nkept in .*\n/);
    expect(result.code, result.err).toBe(0);
    const found = JSON.parse(result.out);
    expect(found).toEqual(JSON.parse(readFileSync(join(out, "audit.json"), "utf8")));
    // The radius is the one that the run trained for.
    expect(found).toMatchObject({
      norm: "linf",
      epsilon: 0.1,
      images: 2,
      model: "small",
      defenses: ["sqa"],
      seed: 7,
    });
    expect(found).toMatchObject({ data: "mnist test", transfers: [] });
    expect(readFileSync(join(out, "audit.html"), "utf8")).toContain(found.verdict.name);
    const { tensors } = readSafetensors(join(out, "images", "worst.safetensors"));
    const worst = tensors.get("images")!.data as Float32Array;
    const png = decode(readFileSync(join(out, "images", "00001.png")));
    expect([...png.data]).toEqual([...worst.slice(784)].map((pixel) => Math.round(255 * pixel)));
    // Kept under a name of its own, so that another audit in the same folder takes nothing from it.
    expect(readdirSync(out)).toContainEqual(expect.stringMatching(/^audit-quick-[0-9a-f]{8}$/));
    const again = await sqaAudit(...words);
    expect(again.out.startsWith(`${found.verdict.text.slice(0, 40)}`)).toBe(true);
    expect(again.out).toMatch(/\nreport: \S*report\/audit\.html\nnumbers: .*\nworst images: .*\n$/);
    const other = await sqaAudit(run, "--budget", "quick", "--limit", "2", "--seed", "8", "--out", out);
    expect([other.code, other.err]).toEqual([
      64,
      expect.stringContaining(`${out} holds the report of another audit: give another folder, or --force`),
    ]);
    expect(other.err, "refused before the estimate").not.toContain("kept in");
    // A terminal of 80 columns shows the same in lines that fit.
    using captured = captureOutput({ terminal: true, columns: 80, environment: { NO_COLOR: "1" } });
    expect(await main(["audit", ...words])).toBe(0);
    const lines = captured.stdout.text.split("\n").filter((line) => !line.includes(out));
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it("refuses a folder with files of others before its first attack", async () => {
    const out = mkdtempSync(join(folder, "others-"));
    writeFileSync(join(out, "SHA256SUMS"), "mine");
    for (const jobs of ["1", "2"]) {
      const words = [run, "--budget", "quick", "--limit", "2", "--out", out, "--jobs", jobs];
      const { code, err } = await sqaAudit(...words);
      expect([code, err]).toEqual([
        64,
        expect.stringContaining(`${join(out, "SHA256SUMS")} is there already`),
      ]);
      expect(err).toContain("give another folder, or --force to replace it");
      expect(readdirSync(out)).toEqual(["SHA256SUMS"]);
    }
  });

  it("ends with 0, 1 or 2 by a criterion and an earlier audit", { timeout: 600_000 }, async () => {
    const words = [run, "--budget", "quick", "--limit", "6", "--no-defense", "--quiet"];
    const out = ["--out", join(folder, "required")];
    const [pass, fail, undecided] = [
      await sqaAudit(...words, ...out, "--require", "clean >= 0", "--json"),
      await sqaAudit(...words, ...out, "--require", "worst > 0.999"),
      await sqaAudit(...words, ...out, "--require", "worst >= 0.001", "--json"),
    ];
    const found = JSON.parse(pass.out);
    // Low ends of intervals are 0 where nothing is left, and no threshold is below that.
    const names = [pass.code, fail.code, undecided.code];
    expect(names, pass.err + fail.err).toEqual([0, found.worst.high > 0.999 ? 2 : 1, 2]);
    expect(fail.out).toContain("\nfail: worst > 0.999: ");
    expect(JSON.parse(undecided.out).outcome.otherCriteria).toHaveLength(2);
    expect(found.evidence.model.file).toMatchObject({ name: "weights.safetensors", format: "safetensors" });
    expect(found.evidence.model.training.config).toMatchObject({ method: "fgsm(epsilon=0.1)" });
    expect(found.environment.command).toBe(
      `npx sqa audit ${run} --budget quick --require 'clean >= 0' --limit 6 --no-defense ` +
        `--out ${join(folder, "required")}`,
    );
    const baseline = join(folder, "baseline.json");
    const better = found.perImage.map((image: { correct: object }) => ({
      ...image,
      correct: { ...image.correct, worst: 1 },
    }));
    writeFileSync(baseline, JSON.stringify({ ...found, perImage: better }));
    const regressed = await sqaAudit(...words, ...out, "--baseline", baseline);
    expect([regressed.code, found.worst.accuracy]).toEqual([1, 0]);
    expect(regressed.out.replace(/\s+/g, " ")).toContain("a significant regression (McNemar, p = 0.031)");
  });

  it("takes weights with their architecture, at the images' usual radius", { timeout: 300_000 }, async () => {
    const weights = join(run, "weights.safetensors");
    const of = ["--architecture", "small", "--images", images];
    const words = [
      weights,
      ...of,
      "--budget",
      "quick",
      "--limit",
      "2",
      "--out",
      join(folder, "weights"),
      "--json",
    ];
    const { code, out, err } = await sqaAudit(...words, "--batch-size", "1");
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ epsilon: 0.3, defenses: [], batchSize: 1 });
  });

  it.each([
    ["an attack", 20_000, "kept in", 3000],
    ["the estimate of how long it takes", 1_000_000, "time is being estimated", 500],
  ])("stops within %s that would take minutes", { timeout: 120_000 }, async (where, steps, begun, moment) => {
    const out = join(folder, `stopped-${steps}`);
    const claim = `pgd(epsilon=0.1, steps=${steps})`;
    const child = new SqaProcess([
      "audit",
      run,
      "--budget",
      "quick",
      "--limit",
      "20",
      "--claim",
      claim,
      "--out",
      out,
    ]);
    while (!child.stderr.includes(begun) && child.running) await sleep(20);
    await sleep(moment);
    expect(child.running, child.stderr).toBe(true);
    child.kill("SIGINT");
    const asked = performance.now();
    expect(await child.ended(), child.stderr).toBe(75);
    expect(performance.now() - asked, where).toBeLessThan(10_000);
    expect(child.stderr).toContain("stopping; once more to end at once\n");
  });

  it.each([
    [[], "give a model, such as a run folder, or --self-test", 64],
    [["nowhere"], "nowhere does not exist: give a run folder", 66],
    [["model.onnx"], "model model.onnx does not exist", 66],
    [["RUN", "--self-test"], "--self-test takes no model", 64],
    [["RUN", "--budget", "huge"], "quick", 64],
    [
      ["RUN", "--epsilon", "0.1", "--claim", "pgd(epsilon=0.3)"],
      "attacks within 0.3, and epsilon is 0.1",
      64,
    ],
    [["RUN", "--claim", "cw-l2()"], "has no radius", 64],
    [["RUN", "--epsilon", "0"], "epsilon", 64],
    [["RUN", "--epsilon", "8"], "epsilon: 8 is not in (0, 1]; gray levels are written 8 / 255", 64],
    [["RUN", "--norm", "l2"], "give --epsilon: no radius is usual in l2", 64],
    [["RUN", "--limit", "21"], "limit: mnist test has 20 images, not 21", 64],
    [
      ["RUN", "--images", "cifar10"],
      "small takes images of 1 x 28 x 28; data set cifar10 has 3 x 32 x 32",
      64,
    ],
    [["RUN", "--device", "cuda:99"], "device cuda:99 is not there", 64],
    [["RUN", "--require", "wurst >= 0.4"], 'require: no figure is named "wurst"', 64],
    [["RUN", "--no-defense", "--require", "every-draw >= 0.4"], "this one is deterministic", 64],
    [["RUN", "--baseline", "nowhere.json"], "cannot read nowhere.json: there is no such file", 66],
    [["RUN", "--resolution", "0"], "--resolution cannot be 0", 64],
    [["RUN", "--out", "package.json/x"], "--out package.json/x: cannot make the folder package.json/x", 64],
    [["--self-test", "--budget", "quick"], "--self-test cannot be given together with --budget", 64],
    [["--self-test", "--self-tested", "x"], "--self-test cannot be given together with --self-tested", 64],
    [["--self-test", "--limit", "3"], "--self-test cannot be given together with --limit", 64],
    [["--self-test", "--surrogate", "x"], "--self-test cannot be given together with --surrogate", 64],
    [["--self-test", "--claim", "fgsm()"], "--self-test cannot be given together with --claim", 64],
    [["RUN", "--surrogate", "nowhere"], "nowhere does not exist", 66],
    [["RUN", "--surrogate", "RUN", "--surrogate", "RUN"], "another model of that name was given already", 64],
  ] as const)("refuses %j", async (words, message, code) => {
    const result = await sqaAudit(...words.map((word) => (word === "RUN" ? run : word)));
    expect(result.err).toContain(message);
    expect([result.code, result.out]).toEqual([code, ""]);
  });
});

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { shardOf } from "../../src/cli/commands/shards/shard-options.js";
import { main } from "../../src/cli/main.js";
import { setThreads } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { saveWeights } from "../../src/training/index.js";
import { fakeImages, fakeLabels, idxBytes, writeFolder } from "../datasets/idx-files.js";
import { fixture } from "../models/exported/fixtures.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-cli-shards-"));
const [weights, data, kept] = ["small.safetensors", "data", "kept"].map((name) => join(folder, name));
const count = 12;

beforeAll(() => {
  setThreads(1);
  saveWeights(weights!, small().build({ seed: 4 }).module);
  writeFolder(data!, {
    "t10k-images-idx3-ubyte": idxBytes([count, 28, 28], fakeImages(count)),
    "t10k-labels-idx1-ubyte": idxBytes([count], fakeLabels(count)),
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sqa(...words: string[]) {
  using captured = captureOutput();
  const code = await main(words);
  return { code, out: captured.stdout.text, err: captured.stderr.text };
}

const evaluation = () => [
  ...["evaluate", weights!, "--architecture", "small", "--images", `mnist(folder=${data}, checksums=false)`],
  ...["--attack", "autoattack(epsilon=0.02, steps=3, queries=5)", "--batch-size", "3", "--threads", "1"],
  "--json",
];
const untimed = (text: string) => text.replaceAll(/"seconds":[^,}]*/g, "");

describe("shards at the command line", { timeout: 300_000 }, () => {
  it("merge to what one process prints, and are refused until all are there", async () => {
    const single = await sqa(...evaluation());
    expect(single.code, single.err).toBe(0);
    const shard = (text: string) => sqa(...evaluation(), "--shard", text, "--out", kept!);
    expect((await shard("2/3")).code).toBe(0);
    expect((await shard("1/3")).code).toBe(0);
    const early = await sqa("merge", kept!);
    expect([early.code, early.err]).toEqual([70, "error: shard 3/3 is missing: run it, then merge again\n"]);
    expect((await shard("3/3")).code).toBe(0);
    const file = join(folder, "merged", "evaluation.json");
    mkdirSync(join(folder, "merged"));
    writeFileSync(file, '{"model":"mine"}');
    const refused = await sqa("merge", kept!, "--out", join(folder, "merged"));
    expect([refused.code, refused.err]).toEqual([64, expect.stringContaining(`${file} is there already`)]);
    expect(readFileSync(file, "utf8")).toBe('{"model":"mine"}');
    const noFolder = await sqa("merge", kept!, "--out", file);
    expect([noFolder.code, noFolder.err]).toEqual([
      64,
      expect.stringContaining(`--out ${file}: cannot make the folder ${file}: ${file} is no folder`),
    ]);
    const forced = await sqa("merge", kept!, "--out", join(folder, "merged"), "--force");
    expect(forced.code, forced.err).toBe(0);
    const merged = await sqa("merge", kept!, "--json", "--out", join(folder, "merged"));
    expect(merged.code, merged.err).toBe(0);
    expect(untimed(merged.out)).toBe(untimed(single.out));
    expect(readFileSync(file, "utf8")).toBe(merged.out);
    const [inner] = readdirSync(kept!);
    const own = join("evaluations", inner!);
    try {
      const jobs = await sqa(...evaluation(), "--jobs", "2");
      expect(jobs.code, jobs.err).toBe(0);
      expect(untimed(jobs.out)).toBe(untimed(single.out));
      expect(existsSync(own)).toBe(false);
      // A shard's work in the same folder stays for its merge.
      expect((await sqa(...evaluation(), "--shard", "1/3")).code).toBe(0);
      expect((await sqa(...evaluation(), "--jobs", "2")).code).toBe(0);
      expect(readdirSync(own)).toContain("shard-1-of-3.json");
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  });

  it("are refused where they are of another version, or name modules", async () => {
    const [inner] = readdirSync(kept!);
    const file = join(kept!, inner!, "shard-2-of-3.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/("version of sqa": )"[^"]*"/, '$1"0.0.1"'));
    const other = await sqa("merge", kept!);
    expect([other.code, other.err]).toEqual([65, expect.stringMatching(/another version of sqa.*0\.0\.1/)]);
    for (const name of readdirSync(join(kept!, inner!)).filter((one) => one.endsWith(".json"))) {
      const path = join(kept!, inner!, name);
      writeFileSync(
        path,
        readFileSync(path, "utf8")
          .replace('"0.0.1"', '"0.1.0"')
          .replace('"imports": []', '"imports": ["./evil.mjs"]'),
      );
    }
    expect((await sqa("merge", kept!)).err).toMatch(/run as code: \.\/evil\.mjs; give --trust-modules/);
  });

  it("keep how an exported model's images are normalized", async () => {
    const words = [
      ...["evaluate", fixture("mnist"), "--images", `mnist(folder=${data}, checksums=false)`],
      ...["--normalize", "0.1/0.5", "--attack", "fgsm(epsilon=0.1)", "--batch-size", "3", "--threads", "1"],
      "--json",
    ];
    const single = await sqa(...words);
    expect(single.code, single.err).toBe(0);
    const exported = join(folder, "exported");
    for (const part of ["1/2", "2/2"]) {
      const { code, err } = await sqa(...words, "--shard", part, "--out", exported);
      expect(code, err).toBe(0);
    }
    const merged = await sqa("merge", exported, "--json");
    expect(merged.code, merged.err).toBe(0);
    expect(untimed(merged.out)).toBe(untimed(single.out));
  });

  it("of an audit end by what their merge finds of a criterion and a baseline", async () => {
    const images = `mnist(folder=${data}, checksums=false)`;
    const words = ["audit", weights!, "--architecture", "small", "--images", images, "--threads", "1"];
    const quick = ["--budget", "quick", "--epsilon", "0.3", "--limit", "4", "--batch-size", "2"];
    const first = join(folder, "first");
    const earlier = await sqa(...words, ...quick, "--out", first, "--jobs", "2", "--json");
    expect(earlier.code, earlier.err).toBe(0);
    const judged = ["--require", "worst > 0.999", "--baseline", join(first, "audit.json")];
    const asked = ["--author", "A. Tester", ...judged];
    const audits = join(folder, "audits");
    for (const part of ["1/2", "2/2"]) {
      const { code, err } = await sqa(...words, ...quick, ...asked, "--shard", part, "--out", audits);
      expect(code, err).toBe(0);
    }
    const foreign = join(folder, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "audit.html"), "mine");
    const refused = await sqa("merge", audits, "--out", foreign);
    expect([refused.code, refused.err]).toEqual([
      64,
      expect.stringContaining(`${join(foreign, "audit.html")} is there already`),
    ]);
    rmSync(join(foreign, "audit.html"));
    const text = readFileSync(join(first, "audit.json"), "utf8");
    writeFileSync(join(foreign, "audit.json"), text.replaceAll(/audit-quick-\w{8}/g, "audit-quick-00000000"));
    const another = await sqa("merge", audits, "--out", foreign);
    expect([another.code, another.err]).toEqual([64, expect.stringContaining("the report of another audit")]);
    expect(readdirSync(foreign)).toEqual(["audit.json"]);
    const merged = await sqa("merge", audits, "--json");
    expect(merged.code, merged.err).toBe(1);
    const { outcome, environment, images: count } = JSON.parse(merged.out);
    expect([outcome.name, count, environment.author]).toEqual(["fail", 4, "A. Tester"]);
    expect(outcome.criterion).toMatchObject({ require: "worst > 0.999", batchesBefore: 0 });
    expect(outcome.baseline.images).toBe(4);
    expect(environment.command).toContain("--require 'worst > 0.999'");
    const other = ["--require", "worst > 0.5", "--shard", "1/2", "--out", audits];
    expect((await sqa(...words, ...quick, ...other)).code).toBe(0);
    const mixed = await sqa("merge", audits);
    expect([mixed.code, mixed.err]).toEqual([65, expect.stringContaining("of another criterion than")]);
  });
});

describe("--shard", () => {
  const slurm = (id: number, min: number, max: number, all: number, step = 1) => ({
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_MIN: String(min),
    SLURM_ARRAY_TASK_MAX: String(max),
    SLURM_ARRAY_TASK_COUNT: String(all),
    SLURM_ARRAY_TASK_STEP: String(step),
  });
  it.each([
    ["2/8", {}, { index: 2, count: 8 }],
    ["auto", slurm(0, 0, 3, 4), { index: 1, count: 4 }],
    ["auto", slurm(7, 1, 7, 4, 2), { index: 4, count: 4 }],
    ["auto/4", slurm(2, 2, 2, 1), { index: 3, count: 4 }],
    ["auto/16", { JOB_COMPLETION_INDEX: "15" }, { index: 16, count: 16 }],
  ])("%s is a part", (shard, environment, expected) => {
    expect(shardOf({ shard, jobs: 1 }, environment)).toEqual(expected);
  });
  it.each([
    ["9/8", {}, "there is no part 9 of 8"],
    ["auto", {}, "neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"],
    ["auto", { JOB_COMPLETION_INDEX: "1" }, "Kubernetes does not say how many there are"],
    ["auto", slurm(3, 1, 7, 3), "the array has gaps"],
    ["auto/2", { JOB_COMPLETION_INDEX: "2" }, "there is no part 3 of 2"],
    ["auto/2", { JOB_COMPLETION_INDEX: "x" }, 'JOB_COMPLETION_INDEX is "x", not a whole number'],
  ])("%s says what is missing", (shard, environment, message) => {
    expect(() => shardOf({ shard, jobs: 1 }, environment)).toThrow(message);
  });
});

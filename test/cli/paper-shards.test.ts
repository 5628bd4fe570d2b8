import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { fgsm } from "../../src/attacks/index.js";
import { main } from "../../src/cli/main.js";
import { mnist } from "../../src/datasets/index.js";
import { setThreads, threads } from "../../src/engine/index.js";
import { small } from "../../src/models/index.js";
import { clean, contenderRows, defineAccuracyTable, tables } from "../../src/paper/index.js";
import { writeDigits } from "../training/digits-folder.js";
import { captureOutput } from "./captured-output.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-paper-shards-"));
const inside = (...names: string[]) => join(folder, ...names);
const before = threads();
const tiny = { limit: 40, batchSize: 20, epochs: 1, validationImages: 8, validationAttacks: [] } as const;
const parts = {
  options: z.strictObject({ seeds: z.int().default(2), limit: z.int().default(10) }),
  columns: [clean, { key: "fgsm", title: "FGSM", attack: fgsm({ epsilon: 0.1 }) }],
};
let forget: () => void;

beforeAll(() => {
  setThreads(1);
  const data = mnist({ folder: writeDigits(folder, { train: 60, test: 12 }), checksums: false });
  const shared = defineAccuracyTable("shared", {
    ...parts,
    summary: "a table whose runs are shared out",
    title: "Shared out",
    rows: (options) => contenderRows(small(), { ...tiny, data }, options),
  });
  const timed = defineAccuracyTable("timed", {
    ...parts,
    summary: "a table of times",
    title: "Times",
    timed: true,
    rows: (options) => contenderRows(small(), { ...tiny, data }, options),
  });
  forget = tables.register(shared, timed);
});
afterAll(() => {
  forget();
  setThreads(before);
  rmSync(folder, { recursive: true });
});

async function sqa(...words: string[]) {
  using captured = captureOutput();
  return { code: await main(words), out: captured.stdout.text, err: captured.stderr.text };
}

const shard = (text: string, place: string, ...more: string[]) =>
  sqa(
    ...["paper", "shared", "--shard", text, "--results", inside(place), "--runs", inside(place, "runs")],
    ...["--threads", "1", "--jobs", "1", ...more],
  );

/** Bytes of a result without its measured seconds. */
const untimed = (file: string) => readFileSync(file, "utf8").replaceAll(/"secondsPerStep": [^,\n]*/g, "");

describe("shards of a table", { timeout: 120_000 }, () => {
  it("share its runs out, and merge to the table of one run, byte for byte", async () => {
    const words = ["paper", "shared", "--results", inside("one"), "--runs", inside("one", "runs")];
    const single = await sqa(...words, "--threads", "1", "--jobs", "1");
    expect(single.code, single.err).toBe(0);
    for (const [text, place] of [
      ["3/3", "a"],
      ["1/3", "b"],
    ] as const) {
      const { code, err } = await shard(text, place);
      expect(code, err).toBe(0);
    }
    const early = await sqa("merge", inside("a"), inside("b"));
    expect([early.code, early.err]).toEqual([70, "error: shard 2/3 is missing: run it, then merge again\n"]);
    expect((await shard("2/3", "a")).code).toBe(0);
    const merged = await sqa("merge", inside("a"), inside("b"), "--out", inside("merged"), "--json");
    expect(merged.code, merged.err).toBe(0);
    for (const name of ["shared.json", "shared.md"])
      expect(untimed(inside("merged", name))).toBe(untimed(inside("one", name)));
    expect(JSON.parse(merged.out)).toEqual(JSON.parse(readFileSync(inside("merged", "shared.json"), "utf8")));
    // Each of the four runs was made once.
    const runs = ["a", "b"].flatMap((place) => readdirSync(inside(place, "runs")));
    expect(runs.sort()).toEqual(readdirSync(inside("one", "runs")).sort());
  });

  it("do nothing twice, and keep each process that worked on them", async () => {
    const files = () => {
      const [run] = readdirSync(inside("b", "runs"));
      const entries = readdirSync(inside("b", "runs", run!), { withFileTypes: true });
      const own = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
      return own.map((name) => [name, readFileSync(inside("b", "runs", run!, name)).toString("base64")]);
    };
    const [kept] = readdirSync(inside("b")).filter((name) => name.startsWith("shared-shards-"));
    const manifest = () => JSON.parse(readFileSync(inside("b", kept!, "shard-1-of-3.json"), "utf8"));
    const first = files();
    expect(manifest().sittings).toHaveLength(1);
    expect((await shard("1/3", "b")).code).toBe(0);
    expect(files()).toEqual(first);
    const { sittings, complete } = manifest();
    expect([sittings.length, complete]).toEqual([2, true]);
    expect(sittings[1]).toMatchObject({ threads: 1, finishedAt: expect.stringMatching(/Z$/) });
    expect(sittings[1].command).toContain("npx sqa paper shared ");
    expect(sittings[1].command).toContain("--shard 1/3");
  });

  it("are refused by name where they are of something else, or a run is gone", async () => {
    expect((await shard("2/3", "seeds", "--seeds", "3")).code).toBe(0);
    const seeds = await sqa("merge", inside("a"), inside("seeds"));
    expect([seeds.code, seeds.err]).toEqual([
      65,
      expect.stringMatching(/shard 2\/3 in .*seeds.* is of another option seeds than .*: 3, not 2\n$/),
    ]);
    const [kept] = readdirSync(inside("a")).filter((name) => name.startsWith("shared-shards-"));
    const file = inside("a", kept!, "shard-2-of-3.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/("version of libtorch": )"[^"]*"/, '$1"1.0.0"'));
    const version = await sqa("merge", inside("a"), inside("b"));
    expect([version.code, version.err]).toEqual([65, expect.stringMatching(/another version of libtorch/)]);
    const again = await shard("2/3", "a");
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/holds a shard of another version/)]);
    writeFileSync(file, text);
    const run = readdirSync(inside("b", "runs"))[0]!;
    rmSync(inside("b", "runs", run, "result.json"));
    const gone = await sqa("merge", inside("a"), inside("b"));
    expect([gone.code, gone.err]).toEqual([
      65,
      expect.stringMatching(/run small-full-seed0 of shard 1\/3 is missing or not finished: /),
    ]);
    expect((await shard("1/3", "b")).code).toBe(0);
    expect((await sqa("merge", inside("a"), inside("b"), "--out", inside("merged"))).code).toBe(0);
  });

  it("must be shards of a table with runs that need not stand beside each other", async () => {
    const many = await shard("5/5", "many");
    expect([many.code, many.err]).toEqual([
      64,
      expect.stringContaining("shard.count must be a whole number in 1 .. 4, the number of runs, not 5"),
    ]);
    const timed = await sqa("paper", "timed", "--shard", "1/2", "--results", inside("many"));
    expect([timed.code, timed.err]).toEqual([
      64,
      expect.stringContaining("timed compares times, which are measured on one machine"),
    ]);
    const none = await sqa("paper", "table4", "--shard", "1/2", "--results", inside("many"));
    expect(none.code).toBe(64);
  });
});

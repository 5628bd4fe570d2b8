import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setThreads } from "../../../src/engine/index.js";
import {
  audit,
  auditShard,
  evaluate,
  evaluateShard,
  gatherShards,
  machineFacts,
  mergeAudit,
  mergeEvaluation,
  type ShardManifest,
  type ShardResult,
  writeManifest,
} from "../../../src/evaluation/index.js";
import { small } from "../../../src/models/index.js";
import { tinyCnn } from "../../attacks/tiny-networks.js";
import { leaveTemporary } from "../../base/left-file.js";
import { budget, goldenSplit } from "../audit/tiny-audit.js";
import { coin, splitOfZeros } from "../coin.js";
import { splitFor } from "../splits.js";

beforeAll(() => setThreads(1));
const folder = mkdtempSync(join(tmpdir(), "sqa-shards-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Process that worked on a shard. */
const sittingOf = (index: number) => ({
  host: `node-${index}`,
  ...machineFacts("cpu"),
  startedAt: "2026-01-01T10:00:00.000Z",
  finishedAt: null,
  command: `npx sqa audit m.pt2 --shard ${index}/2`,
});

/** Finishes a shard as the command line does. */
function keep(result: ShardResult, command: "audit" | "evaluate", index: number, count: number) {
  const { id, facts } = result;
  const manifest: ShardManifest = {
    ...{ format: 2, command, id, index, count, facts, sittings: [sittingOf(index)] },
    request: { operands: [], options: {}, imports: [] },
    ...{ complete: true, failed: [...result.failed] },
  };
  const left = leaveTemporary(result.folder, `shard-${index}-of-${count}.json`);
  writeManifest(result.folder, manifest);
  expect(existsSync(left)).toBe(false);
  return result.folder;
}

/** Names of times, and of what merges alone tell. */
const ownOfRun = ["seconds", "startedAt", "finishedAt", "shards"];

/** JSON without times. */
const untimed = (value: object) =>
  JSON.stringify(value, (name, part) => (ownOfRun.includes(name) ? undefined : part));

const model = small().build({ seed: 4 });
const pixels = Uint8Array.from({ length: 7 * 784 }, (_, i) => (i * i * 7) % 251);
const images = splitFor(model, pixels, Uint8Array.of(0, 1, 2, 3, 4, 5, 6));

describe("shards of an evaluation", { timeout: 120_000 }, () => {
  const attacks = ["pgd(epsilon=0.1, steps=3)", "autoattack(epsilon=0.05, steps=3, queries=5)"];
  const options = { attacks, batchSize: 2, seed: 3 };

  it("merge to the single run, whatever their number, their order and their folders", async () => {
    const single = await evaluate(model, images, options);
    for (const count of [1, 2, 3, 7]) {
      const folders: string[] = [];
      for (let index = count; index >= 1; index--) {
        const place = { shard: { index, count }, folder: join(folder, `e${count}-${index % 2}`) };
        folders.push(
          keep(await evaluateShard(model, images, { ...options, ...place }), "evaluate", index, count),
        );
      }
      const shards = gatherShards([...new Set(folders)]);
      const merged = await mergeEvaluation(model, images, options, shards);
      if (count < 7) expect(untimed(merged)).toBe(untimed(single));
      else expect(merged.attacks.map((row) => row.robustAccuracy)).toHaveLength(2);
    }
  });

  it("keep a randomized model's draws, which go by the image", async () => {
    const zeros = splitOfZeros(9);
    const asked = { attacks: ["pgd(steps=2)", "square(queries=3)"], batchSize: 3, draws: 20 };
    const single = await evaluate(coin(0.7), zeros, asked);
    for (const index of [1, 2]) {
      const place = { shard: { index, count: 2 }, folder: join(folder, "coin") };
      keep(await evaluateShard(coin(0.7), zeros, { ...asked, ...place }), "evaluate", index, 2);
    }
    const merged = await mergeEvaluation(coin(0.7), zeros, asked, gatherShards([join(folder, "coin")]));
    expect(untimed(merged)).toBe(untimed(single));
  });

  it("have an attack's error where the single run has it", async () => {
    const brittle = coin(1);
    const failing = {
      ...brittle,
      randomized: false,
      logits: (shown: Parameters<typeof brittle.logits>[0], noise: Parameters<typeof brittle.logits>[1]) => {
        const [first] = noise.imageIds!.toNumbers();
        const logits = brittle.logits(shown, noise);
        return shown.requiresGrad && first === 4 ? logits.mul(Number.NaN) : logits;
      },
    };
    const zeros = splitOfZeros(8);
    const options = { attacks: ["pgd(steps=2)"], batchSize: 2 };
    const single = await evaluate(failing, zeros, options);
    expect(single.attacks[0]!.error).toMatch(/NaN|finite/);
    for (const index of [1, 2]) {
      const place = { shard: { index, count: 2 }, folder: join(folder, "failing") };
      keep(await evaluateShard(failing, zeros, { ...options, ...place }), "evaluate", index, 2);
    }
    const shards = gatherShards([join(folder, "failing")]);
    expect([...shards.failed]).toHaveLength(1);
    expect(untimed(await mergeEvaluation(failing, zeros, options, shards))).toBe(untimed(single));
  });

  it("are refused by name where they are of something else, or missing", async () => {
    const shard = async (name: string, index: number, count: number, changes: object = {}, of = model) => {
      const place = { shard: { index, count }, folder: join(folder, name) };
      const asked = { attacks: ["fgsm(epsilon=0.1)"], batchSize: 2, ...changes, ...place };
      return keep(await evaluateShard(of, images, asked), "evaluate", index, count);
    };
    const first = await shard("first", 1, 3);
    expect(() => gatherShards([first])).toThrow("shards 2/3 and 3/3 are missing: run them, then merge again");
    const half = await shard("half", 1, 2);
    expect(() => gatherShards([half])).toThrow("shard 2/2 is missing: run it, then merge again");
    const gathered = (other: string) => () => gatherShards([first, other]);
    expect(gathered(await shard("seed", 2, 3, { seed: 1 }))).toThrow(
      /shard 2\/3 in .* another seed .*: 1, not 0/,
    );
    expect(gathered(await shard("other", 2, 3, {}, small().build({ seed: 5 })))).toThrow(/another model/);
    expect(gathered(await shard("few", 2, 3, { limit: 6 }))).toThrow(/another images.*6 of test images/);
    expect(gathered(await shard("attack", 2, 3, { attacks: ["pgd"] }))).toThrow(/another attacks/);
    await shard("first", 2, 3);
    await shard("first", 3, 3);
    const shards = gatherShards([join(folder, "first")]);
    const asked = { attacks: ["fgsm(epsilon=0.1)"] };
    const other = small().build({ seed: 5 });
    await expect(mergeEvaluation(other, images, asked, shards)).rejects.toThrow(
      /of another model than is here/,
    );
  });

  it("are refused where a batch is gone", async () => {
    const place = { shard: { index: 1, count: 1 }, folder: join(folder, "gone") };
    const asked = { attacks: ["fgsm(epsilon=0.1)"] };
    const kept = keep(await evaluateShard(model, images, { ...asked, ...place }), "evaluate", 1, 1);
    rmSync(join(kept, "trials"), { recursive: true });
    await expect(mergeEvaluation(model, images, asked, gatherShards([kept]))).rejects.toThrow(
      /images 0 to 6 of clean are missing: run their shard again/,
    );
  });

  it("are refused where a manifest is damaged, with the way on", () => {
    const damaged = join(folder, "damaged");
    mkdirSync(damaged);
    for (const text of ["", "{}"]) {
      writeFileSync(join(damaged, "shard-1-of-2.json"), text);
      expect(() => gatherShards([damaged])).toThrow(
        /shard-1-of-2\.json: is no manifest .*; delete it, and run its shard again$/,
      );
    }
  });

  it("must be shards", async () => {
    const place = (index: number, count: number) => ({ shard: { index, count }, folder, attacks: [] });
    const run = async (index: number, count: number) => evaluateShard(model, images, place(index, count));
    await expect(run(3, 2)).rejects.toThrow("shard.index must be a whole number in 1 .. 2, not 3");
    await expect(run(1, 8)).rejects.toThrow("shard.count must be a whole number in 1 .. 7");
  });
});

describe("shards of an audit", { timeout: 300_000 }, () => {
  it("merge to the single run, and let it go on from their folder", async () => {
    const split = goldenSplit(tinyCnn);
    const options = { epsilon: 0.1, batchSize: 2, budget };
    const single = await audit(tinyCnn, split, options);
    for (const index of [2, 1]) {
      const place = { shard: { index, count: 2 }, folder: join(folder, "audit") };
      keep(await auditShard(tinyCnn, split, { ...options, ...place }), "audit", index, 2);
    }
    const shards = gatherShards([join(folder, "audit")]);
    const merged = await mergeAudit(tinyCnn, split, options, shards);
    expect(untimed(merged)).toBe(untimed(single));
    expect(merged.toJSON().environment.shards).toEqual([
      { shard: "1/2", sittings: [sittingOf(1)] },
      { shard: "2/2", sittings: [sittingOf(2)] },
    ]);
    expect(merged.worstImages.map(({ adversarial }) => [...adversarial])).toEqual(
      single.worstImages.map(({ adversarial }) => [...adversarial]),
    );
    const work = audit(tinyCnn, split, { ...options, folder: join(folder, "audit") });
    const types: string[] = [];
    for await (const { type } of work) types.push(type);
    expect(types).not.toContain("progress");
    const files = await Promise.all([merged.write(join(folder, "m")), (await work).write(join(folder, "w"))]);
    // From the same records the seconds are the same as well: every byte is, but for the hours of the clock.
    const hours = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
    const json = (file: string) => readFileSync(file, "utf8").replaceAll(hours, "then");
    const { environment, ...found } = JSON.parse(json(files[0].json));
    const { shards: ran, ...merging } = environment;
    expect(ran).toHaveLength(2);
    expect(`${JSON.stringify({ ...found, environment: merging }, null, 2)}\n`).toBe(json(files[1].json));
    // Charts number their clips through a process, and here are two reports in one.
    const page = (file: string) => json(file).replaceAll(/\bclip\d+/g, "clip");
    const ofShards = /<p>Shards, each process.*?<\/table><\/section>\n?/s;
    expect(page(files[0].html)).toContain("<td>node-2</td>");
    expect(page(files[0].html).replace(ofShards, "")).toBe(page(files[1].html));
  });

  it("write their criterion down before the first attack, and merge the first time of it", async () => {
    const split = goldenSplit(tinyCnn);
    const options = { epsilon: 0.1, batchSize: 2, budget, require: "clean >= 0.5" };
    const folders: string[] = [];
    for (const index of [1, 2]) {
      const place = { shard: { index, count: 2 }, folder: join(folder, `required-${index}`) };
      // The second folder has a batch of each attack before anyone requires anything.
      if (index === 2) await auditShard(tinyCnn, split, { ...options, ...place, require: undefined });
      folders.push(keep(await auditShard(tinyCnn, split, { ...options, ...place }), "audit", index, 2));
    }
    const [first, second] = folders.map((kept) =>
      JSON.parse(readFileSync(join(kept, "criterion.json"), "utf8")),
    );
    expect(first).toMatchObject([{ require: "clean >= 0.5", batchesBefore: 0 }]);
    expect(second[0].batchesBefore).toBeGreaterThan(10);
    const merged = await mergeAudit(tinyCnn, split, options, gatherShards(folders));
    expect(merged.outcome?.criterion).toEqual({ ...first[0], batchesBefore: second[0].batchesBefore });
    const other = { ...options, require: "clean >= 0.6" };
    await expect(mergeAudit(tinyCnn, split, other, gatherShards(folders))).rejects.toThrow(
      /of another criterion than is here/,
    );
  });

  it("keep the plan before the first attack, and tell the worst case as it falls on their images", async () => {
    const split = goldenSplit(tinyCnn);
    const options = { epsilon: 0.1, batchSize: 2, budget };
    const of = join(folder, "watched");
    const work = auditShard(tinyCnn, split, { ...options, shard: { index: 1, count: 2 }, folder: of });
    const worst: number[] = [];
    const labels: string[] = [];
    let plan: { images: number; trials: { label: string; batchSeconds: number }[] } | undefined;
    for await (const event of work) {
      if (event.type === "shard") {
        plan = JSON.parse(readFileSync(join(event.folder, "plan.json"), "utf8"));
        expect(existsSync(join(event.folder, "trials"))).toBe(false);
      }
      if (event.type !== "attack") continue;
      labels.push(event.label);
      worst.push(event.worst!);
    }
    expect(plan).toMatchObject({ images: split.count });
    expect(plan!.trials.map(({ label }) => label)).toEqual(labels);
    // Nobody has estimated their time.
    expect(new Set(plan!.trials.map(({ batchSeconds }) => batchSeconds))).toEqual(new Set([0]));
    expect(worst).toEqual([...worst].sort((a, b) => b - a));
    expect(worst.at(-1)!).toBeLessThan(worst[0]!);
    // That of the report, on the shard's images: the first batch of two, and every second one.
    const report = await audit(tinyCnn, split, { ...options, folder: of });
    const own = report.worstImages.filter(({ position }) => Math.floor(position / 2) % 2 === 0);
    const left = own.filter(({ correct }) => correct > 0.5).length / own.length;
    expect(worst.at(-1)!).toBeCloseTo(left, 9);
  });
});

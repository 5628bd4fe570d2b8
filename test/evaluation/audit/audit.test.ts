import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Audit,
  type AuditEvent,
  audit,
  FolderStore,
  MemoryStore,
  type TrialStore,
  trialLabel,
  trialsOf,
  worstImages,
} from "../../../src/evaluation/audit/index.js";
import { quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { finished, goldenSplit, planOf } from "./tiny-audit.js";

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "sqa-audit-"));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const split = goldenSplit(tinyCnn);

// Some audit twice: seconds, but not on a machine that does much else.
describe("audit", { timeout: 300_000 }, () => {
  it("plans, runs every trial once, and concludes on every line", async () => {
    const plan = planOf(tinyCnn);
    const events: AuditEvent[] = [];
    for await (const event of audit(plan, split, { store: new MemoryStore() })) events.push(event);
    const labels = trialsOf(plan).map(trialLabel);
    expect(new Set(labels).size).toBe(labels.length);
    expect(events.slice(0, 2)).toMatchObject([{ type: "estimate" }, { type: "plan", trials: labels.length }]);
    expect(events.flatMap((event) => (event.type === "trial" ? [event.result.label] : []))).toEqual(labels);
    const end = events.at(-1)!;
    if (end.type !== "end") throw new Error("the last event is the end");
    expect(end.audit.lines.map(({ outcome }) => outcome)).not.toContain(undefined);
    expect(end.audit.clean.accuracy).toBe(1);
    expect(end.audit.worst.accuracy).toBeLessThanOrEqual(end.audit.claim.accuracy);
    expect(end.audit.brokenBy).toHaveLength(6);
  });

  it("goes on where it was stopped, to the same numbers, and does nothing twice", async () => {
    const plan = planOf(tinyCnn);
    const whole = await finished(audit(plan, split, { store: new MemoryStore() }));
    const store = new FolderStore(newFolder());
    const counted = { write: 0 };
    const watched: TrialStore = {
      read: (...given) => store.read(...given),
      images: (...given) => store.images(...given),
      write: (...given) => {
        counted.write++;
        store.write(...given);
      },
    };
    let seen = 0;
    for await (const event of audit(plan, split, { store: watched }))
      if (event.type === "progress" && ++seen === 7) break;
    expect(counted.write).toBe(7);
    const resumed = await finished(audit(plan, split, { store: watched }));
    expect(counted.write).toBe(trialsOf(plan).length);
    const numbers = ({ trials, lines, worst, verdict }: Audit) => ({
      worst,
      verdict,
      lines,
      trials: trials.map(({ label, answers }) => [label, [...answers.correct]]),
    });
    expect(numbers(resumed)).toEqual(numbers(whole));
  });

  it("names a kept file that is damaged", async () => {
    const plan = planOf(tinyCnn);
    const folder = newFolder();
    const store = new FolderStore(folder);
    for await (const event of audit(plan, split, { store })) if (event.type === "progress") break;
    const [clean] = trialsOf(plan);
    expect(store.read(clean!, 0, { count: 6, draws: 1, shape: [2, 8, 8] })).toBeDefined();
    const [file] = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
    const path = join(folder, file!);
    expect(existsSync(path.replace(/json$/, "safetensors"))).toBe(true);
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 20));
    await expect(finished(audit(plan, split, { store }))).rejects.toThrow(`${path}: `);
  });

  it("gives each image in its worst form, and its answer once rounded to 8 bits", async () => {
    const plan = planOf(tinyCnn);
    const store = new MemoryStore();
    const found = await finished(audit(plan, split, { store }));
    const worst = worstImages(plan, found, split, store);
    expect(worst.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { clean, adversarial, trial, correct } of worst) {
      const distance = Math.max(...adversarial.map((pixel, i) => Math.abs(pixel - clean[i]!)));
      expect(distance).toBeLessThanOrEqual(0.05 + 1e-6);
      expect(trial.label === "clean" ? 1 : 0).toBe(correct);
    }
  });

  it("stops when it is told to", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(finished(audit(planOf(tinyCnn), split, { store: new MemoryStore(), signal }))).rejects.toThrow(
      "enough",
    );
  });

  it("refuses a single draw of a randomized network, whose worst case would be low by luck", async () => {
    const plan = planOf(quantizedCnn);
    const single = { ...plan, budget: { ...plan.budget, draws: 1 } };
    await expect(finished(audit(single, split, { store: new MemoryStore() }))).rejects.toThrow(
      "budget.draws must be at least 2 for a randomized network, not 1",
    );
  });

  it("refuses an empty split", async () => {
    const empty = { images: new Uint8Array(), labels: new Uint8Array(), count: 0 };
    await expect(finished(audit(planOf(tinyCnn), empty, { store: new MemoryStore() }))).rejects.toThrow(
      "the split must hold at least one image",
    );
  });
});

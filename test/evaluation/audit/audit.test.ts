import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Split } from "../../../src/datasets/index.js";
import { deriveSeed } from "../../../src/engine/index.js";
import {
  type Audit,
  type AuditEvent,
  type AuditPlan,
  audit,
  type Budget,
  FolderStore,
  MemoryStore,
  type TrialStore,
  trialLabel,
  trialsOf,
  whiteBox,
  worstImages,
} from "../../../src/evaluation/audit/index.js";
import type { Classifier } from "../../../src/nn/classifier.js";
import { goldenImages, goldenLabels, tinyCnn } from "../../attacks/tiny-networks.js";

const budget: Budget = {
  images: 6,
  draws: 6,
  steps: 4,
  restarts: 1,
  adaptiveSteps: 2,
  targets: 2,
  expectation: [1, 2],
  suiteSteps: 4,
  queries: 8,
  decisionSteps: 1,
  noiseTries: 2,
  seeds: 1,
};

/** The golden images in gray levels, with the network's own answers as labels. */
function goldenSplit(model: Classifier): Split {
  const images = Uint8Array.from(goldenImages.mul(255).round().toNumbers());
  const noise = { seed: deriveSeed(0, "labels"), draw: 0, imageIds: goldenLabels };
  return { images, labels: Uint8Array.from(model.logits(goldenImages, noise).argmax(1).toNumbers()), count: 6 };
}

function planOf(model: Classifier, epsilon = 0.05): AuditPlan {
  const claim = whiteBox(`pgd(epsilon=${epsilon}, stepSize=${epsilon / 4}, steps=8)`);
  return { subject: { model }, budget, norm: "linf", epsilon, claim, seed: deriveSeed(0, "test") };
}

async function finished(events: AsyncIterable<AuditEvent>): Promise<Audit> {
  for await (const event of events) if (event.type === "end") return event.audit;
  throw new Error("no end");
}

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

describe("audit", () => {
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

  it("refuses an empty split", async () => {
    const empty = { images: new Uint8Array(), labels: new Uint8Array(), count: 0 };
    await expect(finished(audit(planOf(tinyCnn), empty, { store: new MemoryStore() }))).rejects.toThrow(
      "the split must hold at least one image",
    );
  });
});

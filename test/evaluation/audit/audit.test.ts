import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { noise } from "../../../src/attacks/index.js";
import { deriveSeed } from "../../../src/base/index.js";
import { sqa } from "../../../src/defenses/index.js";
import { checks } from "../../../src/evaluation/audit/checks/index.js";
import { type AuditEvent, FolderStore, MemoryStore, type Report } from "../../../src/evaluation/index.js";
import { small } from "../../../src/models/index.js";
import type { Classifier } from "../../../src/nn/index.js";
import { blackBox, trialSeeds, whiteBox } from "../../../src/trials/index.js";
import { quantizedCnn, tinyCnn } from "../../attacks/tiny-networks.js";
import { splitFor } from "../splits.js";
import { audited, budget, claimOf, goldenSplit } from "./tiny-audit.js";

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
const numbers = ({ trials, lines, worst, verdict }: Report) => ({
  worst,
  verdict,
  lines,
  trials: trials.map(({ trial, answers }) => [trial.id, [...answers.correct]]),
});

// Some audit twice: seconds, but not on a machine that does much else.
describe("audit", { timeout: 300_000 }, () => {
  it("plans, runs every trial once, and concludes on every line", async () => {
    const work = audited(tinyCnn, split);
    const events: AuditEvent[] = [];
    for await (const event of work) events.push(event);
    const report = await work;
    const ids = report.trials.map(({ trial }) => trial.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(events.slice(0, 2)).toMatchObject([{ type: "estimate" }, { type: "plan", trials: ids.length }]);
    expect(events.flatMap((event) => (event.type === "trial" ? [event.outcome.trial.id] : []))).toEqual(ids);
    expect(report.lines.map(({ outcome }) => outcome)).not.toContain(undefined);
    expect(report.lines.map(({ name }) => name)).toEqual(expect.arrayContaining(checks.names));
    expect(report.clean.accuracy).toBe(1);
    expect(report.worst.accuracy).toBeLessThanOrEqual(report.claim.accuracy);
    expect(report.worstImages).toHaveLength(6);
    const seconds = events.flatMap((event) => (event.type === "progress" ? [event.done] : []));
    expect(seconds).toHaveLength(ids.length);
    expect(seconds.at(-1)).toBeCloseTo((events[1] as { seconds: number }).seconds, 6);
  });

  it("takes a model with its defenses, and asks their surrogates", async () => {
    const model = small().build({ seed: 1, defenses: [sqa()] });
    const pixels = Uint8Array.from({ length: 3 * 784 }, (_, i) => (i * i) % 251);
    const images = splitFor(model, pixels, Uint8Array.of(0, 1, 2));
    const report = await audited(model, images, { budget: { ...budget, images: 3 } });
    const players = new Set(report.trials.map(({ trial }) => trial.on));
    expect(players).toEqual(new Set(["model", "surrogate:noise-free", "fixed-seed:0"]));
    expect(report.lines.find(({ name }) => name === "other-gradients")!.evidence).toMatch(
      /noise-free.*staircase.*range/,
    );
    model.module.dispose();
  });

  it("goes on where it was stopped, to the same numbers, and does nothing twice", async () => {
    const whole = await audited(tinyCnn, split);
    const folder = newFolder();
    let seen = 0;
    for await (const event of audited(tinyCnn, split, { folder })) {
      if (event.type === "progress" && ++seen === 7) break;
    }
    const work = audited(tinyCnn, split, { folder });
    let rest = 0;
    for await (const event of work) if (event.type === "progress") rest++;
    const resumed = await work;
    expect(rest).toBe(whole.trials.length - 7);
    expect(numbers(resumed)).toEqual(numbers(whole));
    expect(resumed.folder).toMatch(/audit-own-[0-9a-f]{8}$/);
    expect(existsSync(join(resumed.folder!, "passes.json"))).toBe(true);
    // Batches of another size give the same numbers, in files of their own.
    const parts = await audited(tinyCnn, split, { folder, batchSize: 4 });
    expect(numbers(parts)).toEqual(numbers(whole));
    expect(parts.folder).toBe(resumed.folder);
  });

  it("keeps trials of another model, other images, another seed or claim apart", async () => {
    const folder = newFolder();
    const nameOf = async (...given: Parameters<typeof audited>) => {
      for await (const event of audited(given[0], given[1], { ...given[2], folder })) {
        if (event.type === "plan") return event.folder!;
      }
      throw new Error("no plan");
    };
    const other = { ...split, labels: split.labels.map((label) => (label + 1) % 10) as Uint8Array };
    const names = [
      await nameOf(tinyCnn, split),
      await nameOf(quantizedCnn, split),
      await nameOf(tinyCnn, other),
      await nameOf(tinyCnn, split, { seed: 1 }),
      await nameOf(tinyCnn, split, { claim: "fgsm(epsilon=0.05)" }),
      await nameOf(tinyCnn, split, { transfers: { other: quantizedCnn } }),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(await nameOf(tinyCnn, split)).toBe(names[0]);
  });

  it("keeps its plan before the first attack, for those who watch", async () => {
    const store = new MemoryStore();
    const ids: string[] = [];
    for await (const event of audited(tinyCnn, split, { store })) {
      if (event.type === "plan") {
        const plan = store.readNote("plan") as {
          images: number;
          trials: { id: string; batchSeconds: number }[];
        };
        expect([plan.images, plan.trials.length]).toEqual([split.count, event.trials]);
        expect(plan.trials.every(({ batchSeconds }) => batchSeconds > 0)).toBe(true);
        ids.push(...plan.trials.map(({ id }) => id));
      }
      if (event.type === "trial") expect(event.outcome.trial.id).toBe(ids.shift());
    }
    expect(ids).toEqual([]);
  });

  it("names a kept file that is damaged", async () => {
    const folder = newFolder();
    const store = new FolderStore(folder);
    for await (const event of audited(tinyCnn, split, { store })) if (event.type === "progress") break;
    const [file] = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      /-.*\.json$/.test(name),
    );
    const path = join(folder, file!);
    expect(existsSync(path.replace(/json$/, "safetensors"))).toBe(true);
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 20));
    await expect(audited(tinyCnn, split, { store })).rejects.toThrow(`${path}: `);
  });

  it("gives each image in its worst form, and its answer once rounded to 8 bits", async () => {
    const { worstImages } = await audited(tinyCnn, split);
    expect(worstImages.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { clean, adversarial, trial, correct } of worstImages) {
      const distance = Math.max(...adversarial.map((pixel, i) => Math.abs(pixel - clean[i]!)));
      expect(distance).toBeLessThanOrEqual(0.05 + 1e-6);
      expect(trial.trial.id === "clean" ? 1 : 0).toBe(correct);
    }
  });

  it("stops when it is told to, before it begins and in its midst", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(audited(tinyCnn, split, { signal })).rejects.toThrow("enough");
    const stop = new AbortController();
    class StoppingStore extends MemoryStore {
      override write(...given: Parameters<MemoryStore["write"]>): void {
        super.write(...given);
        if (given[0].attack?.name === "fmn") stop.abort(new Error("halfway"));
      }
    }
    const work = audited(tinyCnn, split, { store: new StoppingStore(), signal: stop.signal });
    for await (const event of work) if (event.type === "plan") expect(event.trials).toBeGreaterThan(20);
    await expect(work).rejects.toThrow("halfway");
  });

  it("refuses a single draw of a randomized model, whose worst case would be low by luck", async () => {
    await expect(audited(quantizedCnn, split, { budget: { ...budget, draws: 1 } })).rejects.toThrow(
      "budget.draws must be at least 2 for a randomized model, not 1",
    );
  });

  it("refuses no images", async () => {
    const empty = { ...split, images: new Uint8Array(), labels: new Uint8Array(), count: 0 };
    await expect(audited(tinyCnn, empty)).rejects.toThrow("test images: there must be at least one image");
  });
});

describe("an attack of an audit that ends in an error", { timeout: 300_000 }, () => {
  /** The tiny model, whose answers to the images of a trial end in an error. */
  function failingIn(id: string): Classifier {
    const { low, high } = trialSeeds(deriveSeed(0, "audit")).answers(id);
    return {
      ...tinyCnn,
      logits(images, noise) {
        const { seed } = noise;
        if ("low" in seed && seed.low === low && seed.high === high) throw new Error("out of order");
        return tinyCnn.logits(images, noise);
      },
    };
  }

  it("skips the checks that need it, and leaves the rest as it is", async () => {
    const { id } = blackBox(noise({ epsilon: 0.05, tries: 2 }));
    const alone = await audited(tinyCnn, split);
    const report = await audited(failingIn(id), split);
    const skipped = { outcome: "skipped", evidence: `${id} ended in an error: out of order` };
    for (const name of ["noise-search", "security-curve"]) {
      expect(report.lines.find((line) => line.name === name)).toMatchObject(skipped);
    }
    expect(report.failed.map(({ trial }) => trial.id)).toEqual([id]);
    const others = ({ lines }: Report) =>
      lines.filter(({ name }) => !/^(noise-search|security-curve|finite)$/.test(name));
    expect(others(report)).toEqual(others(alone));
    expect(report.worst).toEqual(alone.worst);
    const curves = ({ curves }: Report) => curves.map(({ name }) => name);
    expect(curves(report)).toEqual(curves(alone).filter((name) => name !== "noise"));
    expect(report.toJSON()).toMatchObject({ failed: [{ trial: id, error: "out of order" }] });
  });

  it("meets no criterion that the attack could have failed, nor is a claim said to hold", async () => {
    const epsilon = 0.001;
    const { id } = blackBox(noise({ epsilon, tries: 2 }));
    // So wide that the few images are enough.
    const wide = { epsilon, resolution: 100, require: "worst >= 0 and clean >= 0" };
    const alone = await audited(tinyCnn, split, wide);
    expect([alone.verdict.name, alone.outcome!.name]).toEqual(["claim holds", "pass"]);
    const report = await audited(failingIn(id), split, wide);
    const why = `${id} ended in an error: out of order`;
    expect(report.verdict).toMatchObject({ name: "inconclusive", text: expect.stringContaining(why) });
    expect(report.verdict.reasons).toContainEqual({ text: why });
    expect(report.outcome!.requirements.map(({ outcome }) => outcome)).toEqual(["undecided", "pass"]);
    expect(report.outcome!.text).toContain(why);
  });

  it("ends the audit where it is the claimed one", async () => {
    const { id } = whiteBox(claimOf(0.05));
    await expect(audited(failingIn(id), split)).rejects.toThrow(
      `the claimed attack ended in an error, so there is no claim to audit: ${id}: out of order`,
    );
  });
});

describe("the end of an audit", { timeout: 300_000 }, () => {
  /** Audits the tiny model in batches, and tells of each pass that begins when all attacks are through. */
  async function atEnd(batchSize: number, see: Classifier["logits"] = tinyCnn.logits) {
    let ended = false;
    const watched: Classifier = {
      ...tinyCnn,
      logits: (images, noise) => (ended ? see : tinyCnn.logits)(images, noise),
    };
    const work = audited(watched, split, { batchSize });
    let left = Number.NaN;
    for await (const event of work) {
      if (event.type === "plan") left = event.trials;
      if (event.type === "trial") ended = --left === 0;
    }
    return await work;
  }

  it("passes as many images together as a batch has, to the same numbers", async () => {
    const sizes: number[] = [];
    const whole = await atEnd(6);
    const report = await atEnd(4, (images, noise) => {
      sizes.push(images.shape[0]!);
      return tinyCnn.logits(images, noise);
    });
    expect(Math.max(...sizes)).toBe(4);
    expect(numbers(report)).toEqual(numbers(whole));
    expect(report.losses).toHaveLength(budget.steps);
    for (const [i, loss] of report.losses.entries()) expect(loss).toBeCloseTo(whole.losses[i]!, 5);
    expect(report.convergence.find(({ name }) => name === "PGD on its way")).toEqual(
      whole.convergence.find(({ name }) => name === "PGD on its way"),
    );
  });

  it("skips the checks whose own passes end in an error", async () => {
    const report = await atEnd(4, (images, noise) => {
      if (images.requiresGrad) throw new Error("out of memory");
      return tinyCnn.logits(images, noise);
    });
    const { lines, losses, trials } = report;
    const skipped = lines.filter(({ evidence }) => evidence.endsWith("ended in an error: out of memory"));
    expect(skipped.map(({ name }) => name).sort()).toEqual(
      ["gradients", "loss-converged", "silent-success", "stable-gradients"].sort(),
    );
    expect(skipped.every(({ outcome }) => outcome === "skipped")).toBe(true);
    expect([losses, trials.length > 20]).toEqual([[], true]);
    expect(report.errors).toEqual([
      "the standard attack ended in an error: out of memory",
      "the check gradients ended in an error: out of memory",
      "the check stable-gradients ended in an error: out of memory",
    ]);
  });
});

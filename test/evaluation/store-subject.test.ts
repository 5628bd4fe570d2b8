import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FileFormatError, packageVersion } from "../../src/base/index.js";
import { setThreads } from "../../src/engine/index.js";
import { audit, evaluate, FolderStore, MemoryStore } from "../../src/evaluation/index.js";
import { tinyCnn } from "../attacks/tiny-networks.js";
import { budget, goldenSplit } from "./audit/tiny-audit.js";
import { coin, splitOfZeros } from "./coin.js";
import { brightness, grays } from "./splits.js";

beforeAll(() => setThreads(1));
const folder = mkdtempSync(join(tmpdir(), "sqa-store-"));
afterAll(() => rmSync(folder, { recursive: true }));

const split = grays(10, 100, 130, 200, 250);
const attacks = ["fgsm(epsilon=0.1)"];
const inverted = {
  ...brightness,
  logits: (...given: Parameters<typeof brightness.logits>) => brightness.logits(...given).neg(),
};
const stores = [
  ["memory", () => new MemoryStore()],
  ["a folder", (name: string) => new FolderStore(join(folder, name))],
] as const;

describe.each(stores)("a store in %s", (_, newStore) => {
  it("is refused by what its trials are not of, and takes other attacks", async () => {
    const store = newStore("evaluation");
    const first = await evaluate(brightness, split, { attacks, store });
    const refused = (reason: string) => `store: it keeps trials of another ${reason}`;
    await expect(evaluate(inverted, split, { attacks, store })).rejects.toThrow(
      refused("model: classifier "),
    );
    await expect(evaluate(brightness, grays(11, 100, 130, 200, 250), { attacks, store })).rejects.toThrow(
      refused("set of images: 5 of SHA-256 "),
    );
    await expect(evaluate(brightness, split, { attacks, store, seed: 7 })).rejects.toThrow(
      refused("seed: 0, not 7; give each a store of its own"),
    );
    await expect(audit(brightness, split, { epsilon: 0.1, budget, limit: 5, store })).rejects.toThrow(
      refused("kind of work: evaluation, not audit"),
    );
    const more = { attacks: ["fgsm(epsilon=0.2)"], store };
    await evaluate(brightness, split, more);
    await evaluate(brightness, split, { ...more, surrogate: inverted });
    await expect(evaluate(brightness, split, { ...more, surrogate: brightness })).rejects.toThrow(
      refused('model "surrogate": classifier '),
    );
    const again = await evaluate(brightness, split, { attacks, store });
    expect(again.attacks).toEqual(first.attacks);
  });

  it("is refused by audits that its trials are not of", async () => {
    const store = newStore("audit");
    const images = goldenSplit(tinyCnn);
    const options = { epsilon: 0.05, budget, store };
    const stopped = async (more: object) => {
      for await (const event of audit(tinyCnn, images, { ...options, ...more }))
        if (event.type === "estimate") break;
    };
    await stopped({});
    await stopped({ epsilon: 0.1 });
    await expect(stopped({ seed: 1 })).rejects.toThrow("store: it keeps trials of another seed: 0, not 1");
    await expect(stopped({ limit: 3 })).rejects.toThrow(
      "store: it keeps trials of another set of images: 6 of",
    );
  });

  it("is refused by another version of sqa", async () => {
    const store = newStore("version");
    await evaluate(brightness, split, { attacks, store });
    const written = store.readNote("subject") as Record<string, string>;
    store.writeNote("subject", { ...written, "version of sqa": "0.0.9" });
    await expect(evaluate(brightness, split, { attacks, store })).rejects.toThrow(
      `store: it keeps trials of another version of sqa: 0.0.9, not ${packageVersion()}`,
    );
  });

  it("is refused where its batches were answered in another number of draws", async () => {
    const store = newStore("draws");
    const given = { attacks: [], store };
    await evaluate(coin(0.5), splitOfZeros(4), { ...given, draws: 4 });
    await expect(evaluate(coin(0.5), splitOfZeros(4), { ...given, draws: 6 })).rejects.toThrow(
      FileFormatError,
    );
  });
});

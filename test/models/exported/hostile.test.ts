import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { modelFromFile } from "../../../src/models/index.js";
import { mutated } from "./mutations.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Mutated files that are tried; SQA_MUTATIONS=2000 is what was run by hand. */
const count = Number(process.env.SQA_MUTATIONS ?? 300);
const most = { seconds: 5, bytes: 2 ** 30 };

describe("mutated models", { timeout: 3_600_000 }, () => {
  it(`end in an error that names the file, or are read: ${count} of them`, async () => {
    const file = join(folder, "model.pt2");
    const found = { read: 0, refused: 0 };
    const before = process.memoryUsage().rss;
    for (let seed = 0; seed < count; seed++) {
      writeFileSync(file, mutated(seed));
      const from = performance.now();
      try {
        const model = await modelFromFile(file);
        model.build({ seed: 0 }).module.dispose();
        found.read++;
      } catch (error) {
        const { name, message } = error as Error;
        if (name !== "FileFormatError" || !message.startsWith(file)) throw error;
        found.refused++;
      }
      expect((performance.now() - from) / 1000, `seed ${seed}`).toBeLessThan(most.seconds);
      expect(process.memoryUsage().rss - before, `seed ${seed}`).toBeLessThan(most.bytes);
    }
    expect(found.refused).toBeGreaterThan(count / 4);
    expect(found.read).toBeGreaterThan(0);
    if (process.env.SQA_MUTATIONS !== undefined) process.stdout.write(`${JSON.stringify(found)}\n`);
  });
});

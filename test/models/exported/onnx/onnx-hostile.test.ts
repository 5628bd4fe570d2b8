import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { liveTensors } from "../../../../src/engine/index.js";
import { modelFromFile } from "../../../../src/models/index.js";
import { mutatedOnnx } from "./onnx-mutations.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-hostile-onnx-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Mutated files that are tried; SQA_MUTATIONS=5000 is what was run by hand. */
const count = Number(process.env.SQA_MUTATIONS ?? 300);
const first = Number(process.env.SQA_MUTATIONS_FROM ?? 0);
/** Seconds are the processor's, which other work on the machine does not lengthen. */
const most = { seconds: 5, bytes: 2 ** 30 };

describe("mutated ONNX models", { timeout: 3_600_000 }, () => {
  it(`end in an error that names the file, or are read: ${count} of them`, async () => {
    const file = join(folder, "model.onnx");
    const found = { read: 0, refused: 0 };
    const before = process.memoryUsage().rss;
    let slowest = 0;
    for (let seed = first; seed < first + count; seed++) {
      writeFileSync(file, mutatedOnnx(seed));
      const from = process.cpuUsage();
      try {
        const model = await modelFromFile(file);
        model.build({ seed: 0 }).module.dispose();
        found.read++;
      } catch (error) {
        const { name, message } = error as Error;
        if (name !== "FileFormatError" || !message.startsWith(file)) {
          throw new Error(`seed ${seed}`, { cause: error });
        }
        found.refused++;
      }
      const used = process.cpuUsage(from);
      const seconds = (used.user + used.system) / 1e6;
      slowest = Math.max(slowest, seconds);
      expect(seconds, `seed ${seed}`).toBeLessThan(most.seconds);
      expect(process.memoryUsage().rss - before, `seed ${seed}`).toBeLessThan(most.bytes);
    }
    expect(found.refused).toBeGreaterThan(count / 4);
    expect(found.read).toBeGreaterThan(0);
    const facts = { ...found, slowest, tensors: liveTensors().tensors };
    if (process.env.SQA_MUTATIONS !== undefined) process.stdout.write(`${JSON.stringify(facts)}\n`);
  });
});

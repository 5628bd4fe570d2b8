import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { amount, Chance } from "./amounts.js";
import { mutated } from "./mutate.js";
import { readers } from "./readers.js";

const scratch = mkdtempSync(join(tmpdir(), "sqa-hard-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const all = readers(scratch);
const each = Math.ceil(amount(4000, 10_000) / all.length);

/** Classes of errors by which a reader may refuse a file. */
const refusals = ["FileFormatError", "RangeError"];
const longest = 5000;
const mostMemory = 1e9;

test.each(all.map((reader, seed) => [reader.name, reader, seed] as const))(
  `${each} changed files of %s are read or refused, at once and in little memory`,
  async (name, { files, read }, seed) => {
    const chance = new Chance(2026 + seed);
    const before = process.memoryUsage().rss;
    let taken = 0;
    for (let i = 0; i < each; i++) {
      const which = chance.int(files.length);
      const bytes = mutated(files[which]!, files, chance);
      const fail = (problem: string) => {
        const kept = join(tmpdir(), `sqa-hard-${seed}-${i}`);
        writeFileSync(kept, bytes);
        expect.fail(`${name}, case ${i}: ${problem} (the file is kept as ${kept})`);
      };
      const begun = performance.now();
      try {
        await read(bytes, which);
        taken++;
      } catch (error) {
        const { name: kind, message } = error as Error;
        if (!refusals.includes(kind)) fail(`${kind}: ${message}`);
        if (message.includes("[object")) fail(message);
      }
      const took = performance.now() - begun;
      if (took > longest) fail(`${Math.round(took)} ms`);
      if (process.memoryUsage().rss - before > mostMemory) fail("over 1 GB of memory");
    }
    process.stderr.write(`${name}: ${each} tried, ${taken} taken, ${each - taken} refused\n`);
  },
  3_600_000,
);

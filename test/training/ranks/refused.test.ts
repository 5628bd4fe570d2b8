import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { digitsRun } from "./digits-run.js";
import { Launched, noMpi, sqaWords } from "./mpirun.js";

const folder = mkdtempSync(join(tmpdir(), "sqa-refused-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { flags } = digitsRun(folder);
const runs = join(folder, "runs");

describe.skipIf(noMpi !== undefined)(
  noMpi ?? "ranks that cannot train together",
  { timeout: 600_000 },
  () => {
    test("end with one message where all have the same to say, and leave nothing behind", async () => {
      const refused = Launched.sqa(3, [...flags(runs), "--limit", "10"]);
      expect(await refused.ended(), refused.output).toBe(64);
      const said = refused.output.match(/a batch of 2 images cannot be shared by 3 ranks/g);
      expect(said, refused.output).toHaveLength(1);
      expect(existsSync(runs)).toBe(false);
    });

    test("end where one was given another option, or fails by itself", async () => {
      for (const [words, message] of [
        [["--seed", "1"], /rank 1 has configuration \w+, and rank 0 \w+/],
        [["--model", "nowhere.pt2"], /nowhere\.pt2/],
      ] as const) {
        const both = [...sqaWords(flags(runs)), ":", "-n", "1", ...sqaWords([...flags(runs), ...words])];
        const refused = new Launched(["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "1", ...both]);
        expect(await refused.ended(), refused.output).not.toBe(0);
        expect(refused.output).toMatch(message);
        expect(existsSync(runs)).toBe(false);
      }
    });
  },
);

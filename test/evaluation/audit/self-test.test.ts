import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { setThreads } from "../../../src/engine/index.js";
import { selfTest, selfTestCases } from "../../../src/evaluation/audit/index.js";

const runs = mkdtempSync(join(tmpdir(), "sqa-self-test-"));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(runs, { recursive: true }));

// The first case of each base trains its network.
it.each(selfTestCases.map((one) => [one.name, one] as const))(
  "%s gets the verdict it deserves",
  { timeout: 900_000 },
  async (_, one) => {
    for await (const { verdict, expected, audit } of selfTest({ runs, cases: [one] })) {
      expect(expected, JSON.stringify(audit.lines, null, 1)).toContain(verdict);
      expect(audit.clean.accuracy).toBeGreaterThan(0.8);
    }
  },
);

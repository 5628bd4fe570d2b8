import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { setThreads } from "../../../src/engine/index.js";
import { selfTest, selfTestCases } from "../../../src/evaluation/index.js";

const runs = mkdtempSync(join(tmpdir(), "sqa-self-test-"));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(runs, { recursive: true }));

// The first case of each base trains its model.
it.each(selfTestCases.map((one) => [one.name, one] as const))(
  "%s gets the verdict it deserves",
  { timeout: 900_000 },
  async (_, one) => {
    for await (const { expected, report } of selfTest({ runs, cases: [one] })) {
      expect(expected, report.text()).toContain(report.verdict.name);
      expect(report.clean.accuracy).toBeGreaterThan(0.8);
    }
  },
);

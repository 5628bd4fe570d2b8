import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfTest, selfTestCases } from "../evaluation/audit/index.js";
import { renderTable } from "../report/table.js";
import { colors, note, out } from "./frame/output.js";

/** Audits networks that are known to be broken or robust, and returns 0 when each gets the verdict that it deserves. */
export async function auditSelfTest(options: {
  data?: string | undefined;
  json: boolean;
  signal: AbortSignal;
}): Promise<number> {
  const { bold, dim, green, red } = colors("stdout");
  const runs = mkdtempSync(join(tmpdir(), "sqa-self-test-"));
  const results = [];
  try {
    for await (const result of selfTest({ runs, data: options.data, signal: options.signal })) {
      results.push(result);
      note(`${results.length}/${selfTestCases.length}  ${result.name}: ${result.verdict}`);
    }
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
  const failed = results.filter(({ passed }) => !passed).length;
  if (options.json) {
    out(JSON.stringify(results.map(({ audit: { lines }, ...rest }) => ({ ...rest, checklist: lines }))));
  } else {
    const rows = results.map(({ name, expected, verdict, passed }) => [
      name,
      expected.join(" or "),
      (passed ? green : red)(verdict),
    ]);
    const columns = ["network", "deserves", "verdict"];
    out(renderTable({ columns, rows }, "terminal", { heading: bold, rule: dim }));
    out(failed === 0 ? green("the audit can be trusted: every verdict is right") : red(`${failed} verdicts are wrong`));
  }
  return failed === 0 ? 0 : 1;
}

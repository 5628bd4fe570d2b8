import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countText } from "../../../base/index.js";
import { type SelfTestResult, selfTest, selfTestCases, selfTestRecord } from "../../../evaluation/index.js";
import { exitCode } from "../../frame/exit-code.js";
import { conclude, shownTable, toned } from "../../frame/look.js";
import { kebabCase } from "../../frame/option-names.js";
import { note, out } from "../../frame/output.js";
import { UsageError } from "../../frame/usage-error.js";
import { givenBeside } from "../../frame/words/command-text.js";

/**
 * Audits models that are known to be broken or robust, and returns 0 when each gets the verdict that it
 * deserves.
 */
export async function auditSelfTest({
  json,
  signal,
}: {
  json: boolean;
  signal: AbortSignal;
}): Promise<number> {
  const runs = mkdtempSync(join(tmpdir(), "sqa-self-test-"));
  const results: SelfTestResult[] = [];
  try {
    for await (const result of selfTest({ runs, signal })) {
      results.push(result);
      note(`${results.length}/${selfTestCases.length}  ${result.name}: ${result.report.verdict.name}`);
    }
  } finally {
    rmSync(runs, { recursive: true, force: true });
  }
  const failed = results.filter(({ passed }) => !passed).length;
  if (json) out(JSON.stringify(printed(results)));
  else {
    const rows = results.map(({ name, expected, report, passed }) => [
      name,
      expected.join(" or "),
      toned(passed ? "good" : "bad", report.verdict.name),
    ]);
    const columns = ["model", "deserves", "verdict"];
    out(shownTable({ columns, rows }));
    if (failed === 0) conclude("good", "the audit can be trusted: every verdict is right");
    else conclude("bad", `${countText(failed, "verdict is", "verdicts are")} wrong`);
  }
  return failed === 0 ? exitCode.done : exitCode.failed;
}

/** Result of the self-test, with the checklist of each model. */
function printed(results: readonly SelfTestResult[]) {
  const { cases, ...record } = selfTestRecord(results);
  return { ...record, cases: cases.map((one, i) => ({ ...one, checklist: results[i]!.report.lines })) };
}

/** Options that the self-test heeds; all else is fixed in it. */
const heeded: readonly string[] = ["selfTest", "threads", "json"];

/** Refuses options beside `--self-test` that are not their defaults. */
export function refuseBesideSelfTest(
  given: Readonly<Record<string, unknown>>,
  defaults: Readonly<Record<string, unknown>>,
): void {
  const [other] = givenBeside(given, defaults, heeded);
  if (other === undefined) return;
  throw new UsageError(
    `--self-test cannot be given together with --${kebabCase(other[0])}: its audits are fixed`,
  );
}

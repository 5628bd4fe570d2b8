import { FileFormatError, firstFault, parseStrictJson, readTextFile } from "../../../base/index.js";
import { type SelfTestRecord, selfTestEnvironment } from "../evidence/self-test.js";
import { selfTest } from "../report/schema/evidence.js";
import type { SelfTestResult } from "./self-test.js";

/** Bytes and depth of a record with the checklists of all models: many times what it has. */
const mostBytes = 2 ** 24;
const deepest = 32;

/** Result of a self-test that has just ended, for reports of audits here. */
export function selfTestRecord(results: readonly SelfTestResult[]): SelfTestRecord {
  return {
    passed: results.every(({ passed }) => passed),
    finishedAt: new Date().toISOString(),
    ...selfTestEnvironment(),
    cases: results.map(({ name, expected, passed, report }) => ({
      name,
      expected: [...expected],
      verdict: report.verdict.name,
      passed,
    })),
  };
}

/**
 * Reads what `sqa audit --self-test --json` printed into a file.
 *
 * @throws FileFormatError that names the file and what is no result of a self-test
 */
export function readSelfTest(file: string): SelfTestRecord {
  const cases = selfTest.shape.cases.element.loose().array().min(1);
  let given: unknown;
  try {
    given = parseStrictJson(readTextFile(file, mostBytes), deepest);
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    throw new FileFormatError(`${file}: cannot be read as JSON`, { cause: error });
  }
  const { success, data, error } = selfTest.extend({ cases }).safeParse(given);
  if (!success) {
    throw new FileFormatError(`${file}: is no result of sqa audit --self-test --json: ${firstFault(error)}`);
  }
  return {
    ...data,
    cases: data.cases.map(({ name, expected, verdict, passed }) => ({ name, expected, verdict, passed })),
  };
}

import type * as z from "zod";
import { packageVersion } from "../../../base/index.js";
import { versions } from "../../../engine/index.js";
import type { AuditJson } from "../report/schema/audit.js";
import type { selfTest } from "../report/schema/evidence.js";

/** Result of the audit's self-test, as a report keeps it. */
export type SelfTestRecord = z.output<typeof selfTest>;

/** Versions and kernels that a self-test holds for. */
export function selfTestEnvironment() {
  const { libtorch, cpuCapability, kernels } = versions();
  return { sqa: packageVersion(), libtorch, cpuCapability, kernels };
}

/** Result of the self-test for the report of an audit here, or the reason for having none. */
export function selfTestFacts(given: SelfTestRecord | undefined): AuditJson["evidence"]["selfTest"] {
  if (given === undefined) {
    return { result: null, reason: "not given: sqa audit --self-test was not run for this audit" };
  }
  const here = Object.entries(selfTestEnvironment());
  const sameEnvironment = here.every(([name, value]) => given[name as keyof SelfTestRecord] === value);
  return {
    result: { ...given, cases: given.cases.map((one) => ({ ...one })), sameEnvironment },
    reason: null,
  };
}

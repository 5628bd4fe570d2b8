import { formatRatio } from "../../../../options/index.js";
import { isSound } from "../../verdict/verdict.js";
import type { AuditJson } from "../schema/audit.js";
import { outcomeLines } from "../text.js";

/** Test case of a suite: passed where it has no `part`. */
interface TestCase {
  readonly name: string;
  readonly group: string;
  readonly part?: { readonly element: "failure" | "error" | "skipped"; readonly text: string } | undefined;
}

/** Text in XML: escaped, without the control characters that XML 1.0 has no form for. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  const legal = [...text].filter((letter) =>
    /[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(letter),
  );
  return legal
    .join("")
    .replace(/[&<>"]/g, (letter) => entities[letter]!)
    .replace(/[\t\n\r]+/g, " ");
}

/** The verdict, what was required, and every check as test cases. */
function testCases({ verdict, outcome, checklist }: AuditJson): TestCase[] {
  const element = verdict.name === "inconclusive" ? "error" : "failure";
  const outcomePart =
    outcome === null || outcome.name === "pass"
      ? undefined
      : { element: outcome.name === "fail" ? "failure" : "error", text: outcomeLines(outcome).join("; ") };
  return [
    {
      name: "verdict",
      group: "verdict",
      part: isSound(verdict.name) ? undefined : ({ element, text: verdict.text } as const),
    },
    ...(outcome === null ? [] : [{ name: "criterion", group: "criterion", part: outcomePart } as TestCase]),
    ...checklist.map(({ name, group, outcome: found, evidence }): TestCase => {
      if (found === "skipped") return { name, group, part: { element: "skipped", text: evidence } };
      const fails = found === "masked" || found === "invalid";
      return { name, group, part: fails ? { element: "failure", text: `${found}: ${evidence}` } : undefined };
    }),
  ];
}

function caseXml({ name, group, part }: TestCase): string {
  const suite = escaped(`sqa.audit.${group.replace(/ /g, "-")}`);
  const open = `    <testcase name="${escaped(name)}" classname="${suite}" time="0"`;
  if (part === undefined) return `${open}/>`;
  const { element, text } = part;
  const type = element === "skipped" ? "" : ` type="${element === "error" ? "undecided" : "fault"}"`;
  return `${open}>\n      <${element} message="${escaped(text)}"${type}/>\n    </testcase>`;
}

/** Findings of an audit as JUnit XML, which every CI shows: an error is what could not be decided. */
export function junit(audit: AuditJson): string {
  const cases = testCases(audit);
  const countOf = (element: string) => cases.filter(({ part }) => part?.element === element).length;
  const { id, environment, evidence } = audit;
  const properties: Readonly<Record<string, string>> = {
    model: audit.model,
    weightsSha256: evidence.model.weightsSha256 ?? "none",
    manifestSha256: evidence.data.manifestSha256,
    ball: `${audit.norm} ${formatRatio(audit.epsilon)}`,
    clean: String(audit.clean.accuracy),
    worst: `${audit.worst.accuracy} [${audit.worst.low}, ${audit.worst.high}]`,
    sqa: environment.sqa,
  };
  const counts = [
    `tests="${cases.length}"`,
    `failures="${countOf("failure")}"`,
    `errors="${countOf("error")}"`,
    `skipped="${countOf("skipped")}"`,
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite id="0" package="sqa.audit" name="${escaped(id)}" hostname="localhost" ` +
      `timestamp="${environment.finishedAt.slice(0, 19)}" ${counts.join(" ")} ` +
      `time="${environment.seconds.toFixed(3)}">`,
    "    <properties>",
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${name}" value="${escaped(value)}"/>`,
    ),
    "    </properties>",
    ...cases.map(caseXml),
    `    <system-out>${escaped(audit.verdict.text)}</system-out>`,
    "    <system-err/>",
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

import { isSound } from "../../verdict/verdict.js";
import type { AuditJson } from "../schema/audit.js";
import { orderedLines, outcomeLines } from "../text.js";

type Outcome = AuditJson["checklist"][number]["outcome"];

/** Kind and level of a check's result; SARIF has levels for failures alone. */
const results: Readonly<Record<Outcome, { readonly kind: string; readonly level: string }>> = {
  invalid: { kind: "fail", level: "error" },
  masked: { kind: "fail", level: "error" },
  noted: { kind: "fail", level: "warning" },
  skipped: { kind: "notApplicable", level: "none" },
  passed: { kind: "pass", level: "none" },
};

const outcomes = {
  pass: { kind: "pass", level: "none" },
  fail: { kind: "fail", level: "error" },
  undecided: { kind: "review", level: "none" },
} as const;

/** A result at the audited model, which has no lines of code. */
function resultOf(
  audit: AuditJson,
  ruleId: string,
  { kind, level }: { readonly kind: string; readonly level: string },
  text: string,
) {
  const { file, weightsSha256 } = audit.evidence.model;
  const location = {
    ...(file === null ? {} : { physicalLocation: { artifactLocation: { uri: encodeURI(file.name) } } }),
    logicalLocations: [{ name: audit.model, kind: "module" }],
  };
  return {
    ruleId,
    kind,
    level,
    message: { text },
    locations: [location],
    partialFingerprints: { "audit/v1": `${audit.id} ${weightsSha256 ?? "classifier"} ${ruleId}` },
  };
}

/** Findings of an audit as a SARIF 2.1.0 log, which code-scanning views show. */
export function sarif(audit: AuditJson): object {
  const lines = orderedLines(audit);
  const { verdict, outcome, environment } = audit;
  const ofVerdict = isSound(verdict.name)
    ? outcomes.pass
    : verdict.name === "inconclusive"
      ? outcomes.undecided
      : outcomes.fail;
  const rules = [
    ...lines.map(({ name, question, source }) => ({
      id: name,
      shortDescription: { text: question },
      help: { text: source },
    })),
    { id: "verdict", shortDescription: { text: "Is the model as robust as it seems?" } },
    ...(outcome === null ? [] : [{ id: "criterion", shortDescription: { text: "Is the criterion met?" } }]),
  ];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "sqa", semanticVersion: environment.sqa, rules } },
        invocations: [
          {
            executionSuccessful: true,
            startTimeUtc: environment.startedAt,
            endTimeUtc: environment.finishedAt,
            ...(environment.command === null ? {} : { commandLine: environment.command }),
          },
        ],
        results: [
          resultOf(audit, "verdict", ofVerdict, verdict.text),
          ...(outcome === null
            ? []
            : [resultOf(audit, "criterion", outcomes[outcome.name], outcomeLines(outcome).join("\n"))]),
          ...lines.map(({ name, question, outcome: found, evidence }) =>
            resultOf(audit, name, results[found], `${question} ${evidence}`),
          ),
        ],
        properties: { clean: audit.clean, claim: audit.claim, worst: audit.worst, id: audit.id },
      },
    ],
  };
}

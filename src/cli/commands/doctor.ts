import * as z from "zod";
import { renderTable } from "../../report/index.js";
import { defineCommand } from "../frame/command.js";
import { colors, out, tableWidth } from "../frame/output.js";
import { examine, type Finding } from "./doctor/machine.js";

function table(findings: readonly Finding[]): string {
  const { green, yellow, red, dim } = colors();
  const mark = (finding: Finding) =>
    finding.problem === undefined ? green("ok") : finding.needed ? red("missing") : yellow("absent");
  const rows = findings.map((finding) => [mark(finding), finding.name, finding.value]);
  const align = ["left", "left", "left"] as const;
  return renderTable({ columns: ["", "part", "found"], rows, align }, "terminal", {
    rule: dim,
    width: tableWidth(),
  });
}

/** `sqa doctor`: what this machine offers, and what is missing. */
export const doctorCommand = defineCommand({
  name: "doctor",
  summary: "say what this machine offers, and what is missing",
  description:
    "Say what this machine offers, and what is missing. Exit code 1 when something that is needed is " +
    "missing.",
  options: z.strictObject({ json: z.boolean().default(false).describe("print one JSON object") }),
  endsAtOnce: true,
  examples: ["sqa doctor"],
  async run({ json }) {
    const findings = examine();
    const faults = findings.filter(({ problem }) => problem !== undefined);
    const ok = faults.every(({ needed }) => !needed);
    if (json) {
      out(JSON.stringify({ ok, ...Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest])) }));
      return ok ? 0 : 1;
    }
    const { bold, red, green } = colors();
    const verdict = ok
      ? green("nothing that is needed is missing")
      : red("something that is needed is missing");
    const lines = faults.map(({ name, problem }) => `${name}: ${problem}`);
    out([table(findings), "", ...lines, bold(verdict)].join("\n"));
    return ok ? 0 : 1;
  },
});

import * as z from "zod";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { conclude, shownLines, shownTable, toned } from "../frame/look.js";
import { out } from "../frame/output.js";
import { examine, type Finding } from "./doctor/machine.js";

function table(findings: readonly Finding[]): string {
  const mark = ({ problem, needed }: Finding) => {
    if (problem === undefined) return toned("good", "ok");
    return needed ? toned("bad", "missing") : toned("care", "absent");
  };
  const rows = findings.map((finding) => [mark(finding), finding.name, finding.value]);
  const align = ["left", "left", "left"] as const;
  return shownTable({ columns: ["", "part", "found"], rows, align });
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
      return ok ? exitCode.done : exitCode.failed;
    }
    const lines = faults.map(({ name, problem }) => `${name}: ${problem}`);
    out([table(findings), "", ...shownLines(lines)].join("\n"));
    if (ok) conclude("good", "nothing that is needed is missing");
    else conclude("bad", "something that is needed is missing");
    return ok ? exitCode.done : exitCode.failed;
  },
});

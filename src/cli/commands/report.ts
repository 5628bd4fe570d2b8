import * as z from "zod";
import { writeNewFile } from "../../base/index.js";
import { changedFiles, reportFormats, reportIn } from "../../evaluation/index.js";
import { defineCommand } from "../frame/command.js";
import { exitCode } from "../frame/exit-code.js";
import { sayWarning, sayWritten } from "../frame/look.js";
import { out } from "../frame/output.js";
import { textOption } from "../frame/run-options.js";

/** `sqa report`: turns the report of an audit into another form. */
export const reportCommand = defineCommand({
  name: "report",
  summary: "turn an audit's report into a page, SARIF, JUnit, CycloneDX, Markdown or a model card",
  description:
    "Read audit.json and write it in another form: html (a page), sarif (code scanning), junit (test " +
    "results for CI), cyclonedx (a bill of materials with the model's card), model-index (the head of a " +
    "model card), markdown, or text.",
  operands: [{ name: "audit", description: "audit.json, or the folder that holds it" }],
  options: z.strictObject({
    to: z
      .enum(reportFormats)
      .meta({ placeholder: "FORM" })
      .describe(`form of the report: ${reportFormats.join(", ")}`),
    out: textOption("FILE").optional().describe("file to write (default: standard output)"),
    force: z.boolean().default(false).describe("replace a file that is there"),
  }),
  endsAtOnce: true,
  examples: [
    "sqa report runs/NAME/audit-standard-0a1b2c3d --to sarif --out audit.sarif",
    "sqa report audit.json --to junit > audit.xml",
  ],
  async run({ to, out: file, force }, { operands: [path] }) {
    const text = await reportIn(to, path!);
    for (const name of changedFiles(path!)) {
      sayWarning(`${name} is not the one that was written: it has another SHA-256 than in SHA256SUMS`);
    }
    if (file === undefined) out(text.trimEnd());
    else {
      writeNewFile(file, text, { replace: force });
      sayWritten(file);
    }
    return exitCode.done;
  },
});

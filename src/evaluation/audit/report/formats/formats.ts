import { dirname, join } from "node:path";
import { reportPage } from "../page.js";
import { readImages } from "../page-images.js";
import { readAudit } from "../read.js";
import type { AuditJson } from "../schema/audit.js";
import { reportText } from "../text.js";
import { cycloneDx } from "./cyclonedx.js";
import { junit } from "./junit.js";
import { reportMarkdown } from "./markdown.js";
import { modelIndex } from "./model-index.js";
import { sarif } from "./sarif.js";

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;

/** Forms that a report can be turned to; each makes the text of a file. */
const writers = {
  html: (audit: AuditJson, file: string) =>
    reportPage(audit, readImages(join(dirname(file), "images", "worst.safetensors"), audit)),
  sarif: (audit: AuditJson) => json(sarif(audit)),
  junit,
  cyclonedx: (audit: AuditJson) => json(cycloneDx(audit)),
  "model-index": modelIndex,
  markdown: reportMarkdown,
  text: (audit: AuditJson) => `${reportText(audit, { verbose: true })}\n`,
} satisfies Record<string, (audit: AuditJson, file: string) => string | Promise<string>>;

/** Form of a report. */
export type ReportFormat = keyof typeof writers;

/** Every form of a report. */
export const reportFormats = Object.keys(writers) as [ReportFormat, ...ReportFormat[]];

/**
 * An audit in another form: a page, SARIF 2.1.0, JUnit XML, a CycloneDX 1.6 bill of materials, the
 * model-index of a model card, Markdown, or text.
 *
 * @param path of audit.json, or of the folder that has it; a page takes its images from beside it
 * @throws FileFormatError that names the file and what of it is no audit's
 * @example
 * writeFileSync("audit.sarif", await reportIn("sarif", "runs/mine/audit-standard-0a1b2c3d"));
 */
export async function reportIn(format: ReportFormat, path: string): Promise<string> {
  const { audit, file } = readAudit(path);
  return await writers[format](audit, file);
}

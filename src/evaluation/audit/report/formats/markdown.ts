import { countText } from "../../../../base/index.js";
import { formatRatio } from "../../../../options/index.js";
import { interval, percent, renderTable } from "../../../../report/index.js";
import type { AuditJson } from "../schema/audit.js";
import { namedFigures, orderedLines, outcomeLines, reasonTexts } from "../text.js";

const table = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  renderTable({ columns, rows: rows.map((row) => row.map(marked)) }, "markdown");

/** Text whose letters mean nothing to Markdown. */
const marked = (cell: string | number) => String(cell).replace(/[\\`*_<>[\]#]/g, (letter) => `\\${letter}`);

/** Findings of an audit in Markdown, for a model card, an issue or a wiki. */
export function reportMarkdown(audit: AuditJson): string {
  const { verdict, outcome, evidence, environment } = audit;
  const { model, data, threatModel } = evidence;
  const list = (texts: readonly string[]) => texts.map((text) => `- ${marked(text)}`).join("\n");
  return [
    `# Audit of ${marked(audit.model)}`,
    `**${marked(verdict.text)}**`,
    list(reasonTexts(audit)),
    ...(outcome === null
      ? []
      : [`**${marked(outcomeLines(outcome)[0]!)}**`, list(outcomeLines(outcome).slice(1))]),
    table(
      [
        `${audit.norm} ${formatRatio(audit.epsilon)}, ${countText(audit.images, "image")}`,
        "accuracy %",
        "95 % interval",
      ],
      namedFigures(audit).map(({ name, value }) => [
        name,
        percent(value.accuracy),
        interval(value.low, value.high),
      ]),
    ),
    "## Checklist",
    table(
      ["outcome", "check", "evidence"],
      orderedLines(audit).map(({ outcome: found, name, evidence: why }) => [found, name, why]),
    ),
    "## Threat model",
    list([threatModel.goal, threatModel.knowledge, threatModel.capability, threatModel.stage]),
    "## Identity",
    table(
      ["what", "value"],
      [
        ["SHA-256 of the file", model.file?.sha256 ?? "not given"],
        ["SHA-256 of the weights", model.weightsSha256 ?? "not given"],
        ["SHA-256 of the graph", model.graph?.sha256 ?? "not given"],
        ["SHA-256 of the images' manifest", data.manifestSha256],
        ["images", `${audit.data}; ${data.sampling}`],
        ["sqa, libtorch, device", `${environment.sqa}, ${environment.libtorch}, ${environment.device}`],
        ["finished", environment.finishedAt],
        ["command", environment.command ?? "not given"],
      ],
    ),
    ...(model.notes.length === 0 ? [] : ["Found in the model's file:", list(model.notes)]),
    "## Not tested",
    list(evidence.notTested),
    "",
  ]
    .filter((part, i, all) => part !== "" || i === all.length - 1)
    .join("\n\n");
}

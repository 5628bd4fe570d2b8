import { stringify } from "yaml";
import { formatRatio } from "../../../../options/index.js";
import { isDoubtful } from "../../verdict/verdict.js";
import type { AuditJson } from "../schema/audit.js";
import { namedFigures } from "../text.js";

/** Findings of an audit as the head of a model card: a YAML `model-index`, as Hugging Face reads it. */
export function modelIndex(audit: AuditJson): string {
  const ball = `${audit.norm} ${formatRatio(audit.epsilon)}`;
  const percent = (share: number) => Number((100 * share).toFixed(2));
  // A card shows the metrics alone, without the verdict above them.
  const { name: verdictName } = audit.verdict;
  const doubted = isDoubtful(verdictName) ? ` (audit: ${verdictName})` : "";
  const metrics = namedFigures(audit).map(({ name, attacked, value: { accuracy, low, high } }) => ({
    type: "accuracy",
    name: attacked ? `robust accuracy, ${name}, ${ball}${doubted}` : name,
    value: percent(accuracy),
    args: { interval: [percent(low), percent(high)], confidence: 0.95, images: audit.images },
    verified: false,
  }));
  const index = [
    {
      name: audit.model,
      results: [
        {
          task: { type: "image-classification", name: "Image classification" },
          dataset: {
            type: audit.data,
            name: audit.data,
            args: { manifestSha256: audit.evidence.data.manifestSha256 },
          },
          metrics,
        },
      ],
    },
  ];
  const verdict = audit.verdict.text.replace(/\s+/g, " ");
  return `---\n# ${verdict}\n${stringify({ "model-index": index })}---\n`;
}

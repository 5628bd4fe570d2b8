import { shownName } from "../../base/index.js";
import type { FirstPass } from "./first-pass.js";
import type { GradientFlow } from "./flow.js";
import type { GraphNode } from "./graph.js";
import type { GraphFile } from "./graph-file.js";

/** Names in a list are at most so many. */
const mostNames = 8;

/** Operators of nodes with their names, such as `aten.round (round_1, round_2)`. */
export function operatorList(nodes: Iterable<GraphNode>): string[] {
  const byOperator = new Map<string, string[]>();
  for (const { operator, name } of nodes)
    byOperator.set(operator, [...(byOperator.get(operator) ?? []), name]);
  return [...byOperator].map(([operator, names]) => {
    const shown = names.slice(0, mostNames).map(shownName).join(", ");
    const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
    return `${shownName(operator)} (${shown}${more})`;
  });
}

const operatorsOf = (nodes: Iterable<GraphNode>) => operatorList(nodes).join(", ");

/** Findings in a file, each a sentence without a full stop. */
export interface Findings {
  /** All that was found, the format first. */
  readonly notes: readonly string[];
  /** Those that can make a figure say other than it seems to. */
  readonly warnings: readonly string[];
}

/** Facts beside the file's graph that findings depend on. */
interface Choices {
  /** Softmax that was taken off. */
  readonly softmax?: GraphNode | undefined;
  readonly exactGradients: boolean;
  /** Operators by which the graph normalizes its images. */
  readonly normalizing: readonly string[];
  /** True where a mean and a deviation are taken out of the images before. */
  readonly normalized: boolean;
  /** True where it normalizes pixels of 0 to 255, and gets them in [0, 1]. */
  readonly takesBytes: boolean;
  /** Channels of an image. */
  readonly channels: number;
}

/** Says what was found in an exported model. */
export function findingsOf(
  { format, warnings, notes = [] }: GraphFile,
  { blocking, lost, random }: GradientFlow,
  { gradientFault }: FirstPass,
  { softmax, exactGradients, normalizing, normalized, takesBytes, channels }: Choices,
): Findings {
  const found = [...warnings];
  const normalizers = normalizing.map(shownName).join(", ");
  const normalizes = `it normalizes its images itself (${normalizers})`;
  const remarks = normalizing.length > 0 && !normalized && !takesBytes ? [normalizes] : [];
  if (takesBytes) {
    const perChannel = (value: string) => Array(channels).fill(value).join();
    found.push(
      `it normalizes images (${normalizers}) as if pixels were 0 to 255, but they lie in [0, 1]: multiply ` +
        `them by 255 before the export, or give --normalize ${perChannel("0")}/${perChannel("0.003921569")}`,
    );
  } else if (normalizing.length > 0 && normalized)
    found.push(`${normalizes}: without --normalize it sees what it was trained on`);
  if (blocking.size > 0) {
    const operators = operatorsOf(blocking);
    found.push(
      exactGradients
        ? `gradients are blocked by ${operators}, and left so (exact gradients)`
        : `gradients blocked by ${operators} pass as if by the identity (BPDA); ` +
            "--exact-gradients leaves them blocked",
    );
  }
  if (lost.length > 0) {
    found.push(
      `gradients are blocked by ${operatorsOf(lost)}, for which nothing stands in: ` +
        "attack without gradients, too",
    );
  }
  if (random.length > 0) {
    found.push(`it is random: ${operatorsOf(random)}; noise is drawn by the keys of this program`);
  }
  if (random.some(({ operator }) => /dropout/i.test(operator))) {
    found.push("dropout draws at each pass: where that is not meant, export the model after model.eval()");
  }
  if (softmax !== undefined) {
    found.push(`its last operator, ${shownName(softmax.operator)}, is taken off: attacks need logits`);
  }
  if (gradientFault !== undefined) found.push(`${gradientFault} (of random images)`);
  return { notes: [`exported model: ${format}`, ...notes, ...remarks, ...found], warnings: found };
}

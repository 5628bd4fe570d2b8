import { renderTable } from "../../src/report/table.js";
import type { Machine } from "../shared/machine.js";
import { ratioOf, type Spread, spreadOf } from "../shared/statistics.js";

/** Form of a pass: what it took in each round, and how far its numbers are from PyTorch's of the file. */
export interface FormResult {
  readonly side: string;
  readonly form: string;
  readonly engine: string;
  /** Largest difference of logits, a share of the largest, and all of gradients, a share of their sum. */
  readonly differences: { readonly logits: number; readonly gradient: number };
  readonly seconds: readonly number[];
  readonly processorSeconds: readonly number[];
  readonly memory: number;
}

export interface ModelResult {
  readonly name: string;
  readonly batch: number;
  readonly forms: readonly FormResult[];
}

/** All that a run says: what `--json` prints. */
export interface ExportedResult {
  readonly machine: Machine;
  readonly rounds: number;
  readonly models: readonly ModelResult[];
}

const least = (values: readonly number[]) => Math.min(...values);
const milliseconds = (seconds: number) => (1000 * seconds).toFixed(0);
const spread = ({ median, low, high }: Spread, shown: (value: number) => string) =>
  `${shown(median)} [${shown(low)}, ${shown(high)}]`;

/** The form of a side with the least of a measure. */
function fastest(
  forms: readonly FormResult[],
  side: string,
  measure: (form: FormResult) => number,
): FormResult {
  const own = forms.filter((form) => form.side === side);
  return own.reduce((best, form) => (measure(form) < measure(best) ? form : best));
}

function modelText({ name, batch, forms }: ModelResult): string[] {
  const rows = forms.map(({ side, form, seconds, processorSeconds, memory, differences }) => [
    `${side}, ${form}`,
    spread(spreadOf(seconds), milliseconds),
    milliseconds(least(processorSeconds)),
    (memory / 2 ** 20).toFixed(0),
    differences.logits.toExponential(1),
    differences.gradient.toExponential(1),
  ]);
  const median = ({ seconds }: FormResult) => spreadOf(seconds).median;
  const used = ({ processorSeconds }: FormResult) => least(processorSeconds);
  const ours = forms.find(({ side }) => side === "ours")!;
  const [theirs, sparest] = [fastest(forms, "PyTorch", median), fastest(forms, "PyTorch", used)];
  const ratio = spread(ratioOf(theirs.seconds, ours.seconds), (value) => value.toFixed(2));
  const processor = (used(sparest) / used(ours)).toFixed(2);
  const header = ["form", "ms a pass", "least processor ms", "MiB", "logits apart", "gradient apart"];
  return [
    `## ${name}, batch ${batch}`,
    renderTable({ columns: header, rows }, "markdown"),
    `Times as fast as PyTorch's fastest (${theirs.form}): ${ratio}; by least processor time ` +
      `(${sparest.form}): ${processor}.`,
  ];
}

/** Text of a result. */
export function exportedMarkdown({ machine, rounds, models }: ExportedResult): string {
  const engines = new Set(
    models.flatMap(({ forms }) => forms.map(({ side, engine }) => `${side}: ${engine}`)),
  );
  return [
    "# Attack passes of exported models, ours and PyTorch's",
    [
      `\`npm run bench -- --only exported\`, one interleaved run; rounds: ${rounds}.`,
      "A pass is forward, and back to the images. Times and ratios are medians with quartiles over the",
      "rounds, ratios within a round. Differences are from PyTorch's run of the file: the largest of the",
      "logits as a share of the largest, and the sum of the gradients' as a share of their sum.",
    ].join(" "),
    [
      `- ${machine.cpu}, ${machine.threads} thread${machine.threads === 1 ? "" : "s"}, load ` +
        `${machine.loadAtStart.toFixed(1)} to ${machine.loadAtEnd.toFixed(1)}`,
      `- ${[...engines].join("; ")}; Node ${machine.node}`,
    ].join("\n"),
    ...models.flatMap(modelText),
  ].join("\n\n");
}

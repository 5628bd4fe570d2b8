import type { Precision } from "../../src/nn/index.js";
import { renderTable } from "../../src/report/table.js";
import type { Machine } from "../shared/machine.js";
import { type BenchNetwork, networks } from "../shared/networks.js";
import type { Spread } from "../shared/statistics.js";
import type { NetworkSummary } from "./summary.js";

/** All that a run of the benchmark says: what `--json` prints. */
export interface BenchResult {
  readonly machine: Machine;
  /** Engines that compute on each side; of the peers, or why there are none. */
  readonly engines: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly batch: number;
  /** Floating point operations a second. */
  readonly peaks: Partial<Record<Precision, number>>;
  readonly networks: readonly (NetworkSummary & {
    /** Images that the steps were trained on, in words. */
    readonly images: string;
    /** The largest difference of the first losses from PyTorch's, as a share; undefined without peers. */
    readonly lossDifference?: number;
  })[];
}

const number = (value: number) => value.toFixed(value < 10 ? 2 : 1);
const spread = ({ median, low, high }: Spread, scale = 1) =>
  `${number(median * scale)} [${number(low * scale)}, ${number(high * scale)}]`;

function networkText(result: BenchResult["networks"][number]): string[] {
  const { network, images, contenders, ratios, lossDifference } = result;
  const { note }: BenchNetwork = networks[network];
  const rows = contenders.map(({ side, step, form, seconds, peakShare, memory, failed }) => [
    step,
    `${side}, ${form}`,
    seconds === undefined ? `failed: ${failed}` : spread(seconds, 1000),
    peakShare === undefined ? "-" : (100 * peakShare).toFixed(1),
    memory === undefined ? "-" : Math.round(memory / 1e6),
  ]);
  const columns = ["step", "contender", "ms a step", "% of the peak", "peak memory, MB"];
  const align = ["left", "left", "right", "right", "right"] as const;
  const agreed =
    lossDifference === undefined
      ? []
      : [
          `First losses differ from PyTorch's by at most ${lossDifference.toExponential(1)} of the loss ` +
            "(float32, eager).",
        ];
  return [
    `## ${network.toUpperCase()}`,
    `Batches out of ${images}.${note === undefined ? "" : ` ${note}`}`,
    renderTable({ columns, rows, align }, "markdown"),
    ...agreed,
    ratios.map(({ name, ratio }) => `- ${name}: ${spread(ratio)}`).join("\n"),
  ];
}

/** A result as Markdown. */
export function benchMarkdown(result: BenchResult): string {
  const { machine, engines, rounds, batch, peaks, networks } = result;
  const peak = (precision: Precision) => {
    const found = peaks[precision];
    return found === undefined ? "not measured" : `${Number((found / 1e9).toPrecision(3))} GFLOP/s`;
  };
  const facts = [
    `CPU: ${machine.cpu}; arithmetic in bfloat16: ${machine.bfloat16}`,
    `threads: ${machine.threads}; load average ${machine.loadAtStart.toFixed(2)} at the start, ` +
      `${machine.loadAtEnd.toFixed(2)} at the end`,
    `measured peaks, of products of large matrices: float32 ${peak("float32")}, bfloat16 ${peak("bfloat16")}`,
    `ours: ${engines.ours}, Node ${machine.node}; PyTorch: ${engines.PyTorch}`,
  ];
  return [
    "# Training steps, ours and PyTorch's",
    `One interleaved run of ${rounds} round${rounds === 1 ? "" : "s"}, batch ${batch}: \`npm run bench\`. ` +
      "Times and ratios are medians with quartiles " +
      "over the rounds; ratios are taken within a round. The peak is that of the contender's precision; a " +
      "step counts 3 forward passes, " +
      "with FGSM 5. Memory is the most that the process held, with Node's loader of TypeScript or Python " +
      "and the compiler. All processes " +
      "keep the memory that they freed: without that PyTorch's steps can be several times slower " +
      "(`bench/shared/child.ts`).",
    facts.map((fact) => `- ${fact}`).join("\n"),
    ...networks.flatMap(networkText),
  ].join("\n\n");
}

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { large, small } from "../src/models/index.js";

/** The networks that the steps are timed on. */
export const networks = { small, large };
export type NetworkName = keyof typeof networks;

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly networks: readonly NetworkName[];
  readonly rounds: number;
  readonly threads: number;
  readonly batch: number;
  /** Training images of MNIST that the steps draw their batches from. */
  readonly images: number;
  /** The interpreter of the PyTorch peers. */
  readonly python: string;
  /** Whether PyTorch's forms in bfloat16 run as well: slow where the processor has no such arithmetic. */
  readonly bfloat16: boolean;
  /** One round of one step, and nothing compiled: shows that it runs. */
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
}

export const usage = `npm run bench -- [options]
  --rounds N        rounds of the interleaved run (20)
  --threads N       threads of every contender (all processors)
  --only NETWORK    small or large
  --batch N         images in a step (128)
  --images N        training images that batches are drawn from (60000)
  --python FILE     interpreter of the PyTorch peers (PYTHON, else python3)
  --no-bfloat16     without PyTorch's forms in bfloat16, which are slow where that is emulated
  --quick           one round of one step without torch.compile, on 1024 images: shows that it runs
  --json            print JSON
  --write           write results/bench.md and .json; with --only, results/bench-NETWORK.md and .json`;

/** A whole number in 1 .. most out of an option's text; a RangeError names the option otherwise. */
export function count(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number in 1 .. ${most}, not ${text}`);
}

/** Options out of the words of a command line; a RangeError or TypeError says what is wrong. Undefined for `--help`. */
export function benchOptions(words: readonly string[], environment: NodeJS.ProcessEnv): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: "string" },
      threads: { type: "string" },
      only: { type: "string" },
      batch: { type: "string" },
      images: { type: "string" },
      python: { type: "string" },
      "no-bfloat16": { type: "boolean" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      write: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { only, quick = false, json = false, write = false } = values;
  if (values.help) return undefined;
  if (only !== undefined && only !== "small" && only !== "large") {
    throw new RangeError(`--only must be small or large, not ${only}`);
  }
  const images = count("images", values.images ?? (quick ? "1024" : "60000"), 60_000);
  return {
    networks: only === undefined ? ["small", "large"] : [only],
    rounds: count("rounds", values.rounds ?? (quick ? "1" : "20"), 10_000),
    threads: count("threads", values.threads ?? String(availableParallelism()), 1024),
    batch: count("batch", values.batch ?? "128", images),
    images,
    python: values.python ?? environment.PYTHON ?? "python3",
    bfloat16: values["no-bfloat16"] !== true,
    quick,
    json,
    write,
  };
}

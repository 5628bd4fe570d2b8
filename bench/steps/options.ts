import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Precision, precisions } from "../../src/nn/index.js";
import { count } from "../shared/count.js";
import { type NetworkName, networkNames, networks } from "../shared/networks.js";

/** Options of `npm run bench`. */
export interface BenchOptions {
  readonly networks: readonly NetworkName[];
  readonly rounds: number;
  readonly threads: number;
  readonly batch: number;
  /** Training images that the steps draw their batches from. */
  readonly images: number;
  /** The folder of the networks' data set; undefined for where it is looked for by itself. */
  readonly data: string | undefined;
  /** The interpreter of the PyTorch peers. */
  readonly python: string;
  /** The precisions whose forms run. */
  readonly precisions: readonly Precision[];
  /** One round of one step, and nothing compiled: shows that it runs. */
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
}

export const usage = `npm run bench -- [options]
  --rounds N        rounds of the interleaved run (20)
  --threads N       threads of every contender (all processors)
  --only NETWORK    small, large or resnet18, which is slow and runs only when asked for (small and large);
                    exported times attack passes of .pt2 files, with options of its own (add --help)
  --batch N         images in a step (128, resnet18: 64)
  --images N        training images that batches are drawn from (60000, resnet18: 2048)
  --data FOLDER     the data set's folder; without CIFAR-10's resnet18 takes noise of the same shape
  --python FILE     interpreter of the PyTorch peers (PYTHON, else python3)
  --precision P     float32 or bfloat16 alone (both); the latter is slow where it is emulated, and a process of resnet18 holds 1 GB
  --quick           one round of one step without torch.compile, on 1024 images: shows that it runs
  --json            print JSON
  --write           write results/bench.md and .json; with --only, results/bench-NETWORK.md and .json`;

/**
 * The one of the known names that an option's text is; a RangeError names the option and lists them
 * otherwise.
 */
function oneOf<Name extends string>(option: string, text: string, known: readonly Name[]): Name {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  throw new RangeError(`--${option} must be one of ${known.join(", ")}, not ${text}`);
}

/**
 * Options out of the words of a command line; a RangeError or TypeError says what is wrong. Undefined for
 * `--help`.
 */
export function benchOptions(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      rounds: { type: "string" },
      threads: { type: "string" },
      only: { type: "string" },
      batch: { type: "string" },
      images: { type: "string" },
      data: { type: "string" },
      python: { type: "string" },
      precision: { type: "string" },
      quick: { type: "boolean" },
      json: { type: "boolean" },
      write: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { only, quick = false, json = false, write = false } = values;
  if (values.help) return undefined;
  const chosen =
    only === undefined ? networkNames(({ slow }) => slow !== true) : [oneOf("only", only, networkNames())];
  // Networks of one run share a batch, as they share a data set.
  const usual = networks[chosen[0]!];
  const images = count("images", values.images ?? String(quick ? 1024 : usual.images), 60_000);
  return {
    networks: chosen,
    rounds: count("rounds", values.rounds ?? (quick ? "1" : "20"), 10_000),
    threads: count("threads", values.threads ?? String(availableParallelism()), 1024),
    batch: count("batch", values.batch ?? String(usual.batch), images),
    images,
    data: values.data,
    python: values.python ?? environment.PYTHON ?? "python3",
    precisions:
      values.precision === undefined ? precisions : [oneOf("precision", values.precision, precisions)],
    quick,
    json,
    write,
  };
}

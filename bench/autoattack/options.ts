import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { count } from "../shared/count.js";
import { type NetworkName, networkNames } from "../shared/networks.js";

/** Options of `npm run bench:autoattack`. */
export interface AutoAttackBenchOptions {
  /** safetensors of a network without SQA; undefined for first weights, which no attack has to work for. */
  readonly weights: string | undefined;
  readonly network: NetworkName;
  readonly images: number;
  readonly batch: number;
  readonly epsilon: number;
  /** Budgets: of APGD and FAB, of Square, and classes of the targeted attacks. */
  readonly steps: number;
  readonly queries: number;
  readonly targets: number;
  readonly seed: number;
  readonly threads: number;
  /** The interpreter of the peer. */
  readonly python: string;
  readonly json: boolean;
  readonly write: boolean;
}

export const autoAttackUsage = `npm run bench:autoattack -- --weights FILE [options]
  --weights FILE    a run folder or a safetensors file of a network without SQA
  --network NAME    small or large (small)
  --images N        MNIST test images (1000)
  --batch N         images attacked together; the two sides take turns batch by batch (250)
  --epsilon E       l-infinity radius (0.3)
  --steps N         steps of APGD and FAB (100)
  --queries N       queries of Square (5000)
  --targets N       classes of the targeted attacks (9)
  --seed N          of the noise of both sides (0)
  --threads N       threads of each side (1)
  --python FILE     interpreter of the PyTorch peer (PYTHON, else python3)
  --quick           8 images, tiny budgets, any weights: shows that it runs
  --json            print JSON
  --write           write results/autoattack.md and .json`;

function radius(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new RangeError(`--epsilon must lie above 0 and be at most 1, not ${text}`);
}

/** The file of weights that a run folder or a file stands for. */
function weightsFile(path: string): string {
  const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "weights.safetensors") : path;
  if (!existsSync(file)) throw new RangeError(`--weights: ${file} does not exist`);
  return file;
}

function networkNamed(name: string): NetworkName {
  const names = networkNames(({ dataset }) => dataset === "mnist");
  const known = names.find((one) => one === name);
  if (known !== undefined) return known;
  throw new RangeError(`--network must be ${names.join(" or ")}, not ${name}`);
}

/**
 * Options out of the words of a command line; a RangeError or TypeError says what is wrong. Undefined for
 * `--help`.
 */
export function autoAttackBenchOptions(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): AutoAttackBenchOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      weights: text,
      network: text,
      images: text,
      batch: text,
      epsilon: text,
      steps: text,
      queries: text,
      targets: text,
      seed: text,
      threads: text,
      python: text,
      quick: flag,
      json: flag,
      write: flag,
      help: { ...flag, short: "h" },
    },
  });
  if (values.help) return undefined;
  const { quick = false, weights } = values;
  if (weights === undefined && !quick)
    throw new RangeError("--weights is needed: a run folder or a safetensors file");
  const fallback = quick ? ["8", "4", "3", "20", "2"] : ["1000", "250", "100", "5000", "9"];
  const [images, batch, steps, queries, targets] = fallback as [string, string, string, string, string];
  return {
    weights: weights === undefined ? undefined : weightsFile(weights),
    network: networkNamed(values.network ?? "small"),
    images: count("images", values.images ?? images, 10_000),
    batch: count("batch", values.batch ?? batch, 10_000),
    epsilon: radius(values.epsilon ?? "0.3"),
    steps: count("steps", values.steps ?? steps, 100_000),
    queries: count("queries", values.queries ?? queries, 1_000_000),
    targets: count("targets", values.targets ?? targets, 9),
    seed: count("seed", values.seed ?? "0", 2 ** 31 - 1, 0),
    threads: count("threads", values.threads ?? "1", 1024),
    python: values.python ?? environment.PYTHON ?? "python3",
    json: values.json ?? false,
    write: values.write ?? false,
  };
}

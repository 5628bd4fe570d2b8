import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { count } from "../shared/count.js";
import { type BenchModelName, benchModels } from "./models.js";

/** Options of `npm run bench -- --only exported`. */
export interface ExportedOptions {
  readonly models: readonly BenchModelName[];
  readonly rounds: number;
  readonly threads: number;
  /** Images of a pass; each model's own where undefined. */
  readonly batch: number | undefined;
  readonly python: string;
  readonly quick: boolean;
  readonly json: boolean;
  readonly write: boolean;
}

export const exportedUsage = `npm run bench -- --only exported [options]
  --model NAME      ${Object.keys(benchModels).join(", ")} (all)
  --rounds N        rounds of the interleaved run (7)
  --threads N       threads of every contender (all processors)
  --batch N         images of a pass (128 of resnet18-cifar, else 16)
  --python FILE     interpreter that has torch and torchvision (PYTHON, else python3)
  --quick           one round without torch.compile: shows that it runs
  --json            print JSON
  --write           write results/bench-exported.md and .json`;

/** Options out of a command line's words; undefined for `--help`. Throws for words that are wrong. */
export function exportedOptions(
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): ExportedOptions | undefined {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: text,
      model: text,
      rounds: text,
      threads: text,
      batch: text,
      python: text,
      quick: flag,
      json: flag,
      write: flag,
      help: { ...flag, short: "h" },
    },
  });
  if (values.help) return undefined;
  const known = Object.keys(benchModels) as BenchModelName[];
  const models = known.filter((name) => values.model === undefined || values.model === name);
  if (models.length === 0)
    throw new RangeError(`--model must be one of ${known.join(", ")}, not ${values.model}`);
  const { quick = false, json = false, write = false } = values;
  return {
    models,
    rounds: count("rounds", values.rounds ?? (quick ? "1" : "7"), 10_000),
    threads: count("threads", values.threads ?? String(availableParallelism()), 1024),
    batch: values.batch === undefined ? undefined : count("batch", values.batch, 1024),
    python: values.python ?? environment.PYTHON ?? "python3",
    quick,
    json,
    write,
  };
}

import * as z from "zod";
import type { Shard } from "../../../evaluation/index.js";
import { UsageError } from "../../frame/usage-error.js";

const form = /^(?:auto|(?:auto|[1-9]\d{0,5})\/[1-9]\d{0,5})$/;
const accepted = "I/N such as 2/8, auto, or auto/N";

/** Option of commands whose work can be shared out among machines. */
export const shardOption = z
  .string()
  .regex(form, `expected ${accepted}`)
  .meta({ accepted, placeholder: "I/N|auto|auto/N" })
  .optional()
  .describe("work on part I of N alone, for sqa merge; auto: the part that Slurm or Kubernetes says");

/** Options of commands whose images can be shared out among processes and machines. */
export const shardOptions = {
  shard: shardOption,
  jobs: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .describe("processes that share the images, each with --threads, or with its share of the processors"),
};

/** Options of a command that has them. */
interface Given {
  readonly shard?: string | undefined;
  readonly jobs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Shard that the options ask for; undefined where they ask for none. UsageError says what is missing. */
export function shardOf({ shard, jobs }: Given, environment: Environment = process.env): Shard | undefined {
  if (shard === undefined) return undefined;
  if (jobs > 1) throw new UsageError("give --shard or --jobs: a shard is the work of one process");
  const [index, total] = shard.split("/");
  const count = total === undefined ? undefined : Number(total);
  const found = index === "auto" ? shardFrom(environment, count) : { index: Number(index), count: count! };
  if (found.index <= found.count) return found;
  throw new UsageError(`--shard ${shard}: there is no part ${found.index} of ${found.count}`);
}

/** Whole number that a variable of the environment holds; undefined where it is not set. */
function numberOf(environment: Environment, name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--shard auto: ${name} is ${JSON.stringify(text)}, not a whole number`);
}

/**
 * Shard of a task of a Slurm array, or of an indexed job of Kubernetes. With a count, their indices begin at
 * 0; without, Slurm says where they begin and how many there are.
 */
function shardFrom(environment: Environment, count: number | undefined): Shard {
  const slurm = numberOf(environment, "SLURM_ARRAY_TASK_ID");
  const task = slurm ?? numberOf(environment, "JOB_COMPLETION_INDEX");
  if (task === undefined) {
    throw new UsageError(
      "--shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set; give I/N such as 2/8",
    );
  }
  if (count !== undefined) return { index: task + 1, count };
  if (slurm === undefined)
    throw new UsageError("--shard auto: Kubernetes does not say how many there are; give auto/N");
  const [least, most, total] = ["MIN", "MAX", "COUNT"].map((part) =>
    numberOf(environment, `SLURM_ARRAY_TASK_${part}`),
  );
  const step = numberOf(environment, "SLURM_ARRAY_TASK_STEP") ?? 1;
  if (least === undefined || total === undefined || total < 1 || step < 1)
    throw new UsageError("--shard auto: SLURM_ARRAY_TASK_MIN or _COUNT is not set; give auto/N");
  const index = (task - least) / step + 1;
  const isWhole = Number.isInteger(index) && index >= 1 && index <= total;
  if (isWhole && (most === undefined || most === least + (total - 1) * step)) return { index, count: total };
  throw new UsageError(
    "--shard auto: the array has gaps, so its tasks do not say their part; give auto/N, and an array from 0",
  );
}

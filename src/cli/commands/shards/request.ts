import type * as z from "zod";
import { type Shard, shardText } from "../../../evaluation/index.js";
import type { CommandContext } from "../../frame/command.js";
import { commandText } from "../../frame/words/command-text.js";

/** Call of a command as data, which another process or a later merge makes the same call of. */
export interface Request {
  readonly command: "audit" | "evaluate" | "paper";
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Paths of modules to load first. */
  readonly imports: readonly string[];
}

/** Options that say how and where the work is done, and not what it is. */
const ofWork = ["shard", "jobs", "threads", "json", "verbose", "out", "force", "selfTest"];

/** Request of a command that was called. */
export function requestOf(
  command: Request["command"],
  given: Readonly<Record<string, unknown>>,
  { operands, imports }: Pick<CommandContext, "operands" | "imports">,
): Request {
  const kept = Object.entries(given).filter(([name]) => !ofWork.includes(name));
  // Values such as attacks become their texts.
  const options = JSON.parse(JSON.stringify(Object.fromEntries(kept))) as Record<string, unknown>;
  return { command, operands: [...operands], options, imports: [...imports] };
}

/** Command line of a request for one of its shards. */
export function shardCommand(
  { command, operands, options, imports }: Request,
  shard: Shard,
  schema: z.ZodObject,
): string {
  return commandText(command, operands, { ...options, shard: shardText(shard) }, schema, { imports });
}

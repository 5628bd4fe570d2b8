import { hostname } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { stillRuns } from "../../base/index.js";
import { readJson } from "../files/read-json.js";
import { alarmSchema, epochSchema } from "./events.js";

const configSchema = z.record(z.string(), z.unknown());

const resultSchema = z.object({
  epochs: z.number(),
  last: epochSchema,
  best: epochSchema.optional(),
  alarms: z.array(alarmSchema).max(10_000),
  seconds: z.number(),
});

const ownerSchema = z.object({ pid: z.int().min(1), started: z.string(), host: z.string() });

/** Process that a lock names. */
export type LockOwner = z.output<typeof ownerSchema>;

/** Configuration of a run, as its texts. */
export function readConfig(folder: string) {
  return readJson(join(folder, "config.json"), configSchema);
}

/** Result of a finished run. */
export function readResult(folder: string) {
  return readJson(join(folder, "result.json"), resultSchema);
}

/** Environment that a run began in; empty where none is kept. */
export function readEnvironment(folder: string) {
  return readJson(join(folder, "environment.json"), configSchema) ?? {};
}

/** Process that works on a run; undefined where none does. */
export function ownerOf(folder: string): LockOwner | undefined {
  try {
    const owner = readJson(join(folder, "lock"), ownerSchema, 4096);
    if (owner === undefined) return undefined;
    // Processes of another machine cannot be seen from here.
    const lives = owner.host !== hostname() || stillRuns(owner.pid, owner.started);
    return lives ? owner : undefined;
  } catch {
    return undefined;
  }
}

import { existsSync } from "node:fs";
import * as z from "zod";
import { FileFormatError, firstFault, readTextFile } from "../../base/index.js";
import type { TrainResult } from "../events.js";
import { alarmEvent, alarmKind, epochEvent } from "./event-log.js";

const resultSchema = z.object({
  epochs: z.int().min(1),
  steps: z.int().min(1),
  last: epochEvent,
  best: epochEvent.optional(),
  alarms: z.array(alarmEvent),
  standing: z.array(alarmKind).optional(),
  seconds: z.number().min(0),
  replayed: z.literal(true).optional(),
  libtorch: z.string(),
  threads: z.int().min(1),
  ranks: z.int().min(2).optional(),
  weightsSha256: z.string(),
});

/**
 * The result that a run's result.json holds; undefined where there is none.
 *
 * @throws FileFormatError that names the damage, and the way on
 */
export function readResult(file: string): TrainResult | undefined {
  if (!existsSync(file)) return undefined;
  const text = readTextFile(file);
  try {
    return resultSchema.parse(JSON.parse(text)) as TrainResult;
  } catch (cause) {
    const [problem] = (cause instanceof z.ZodError ? firstFault(cause) : String(cause)).split("\n");
    throw new FileFormatError(
      `${file}: not the result of a run: ${problem}; delete it, and the command that trained the run ` +
        "makes it anew from the checkpoint",
      { cause },
    );
  }
}

import { existsSync } from "node:fs";
import * as z from "zod";
import { FileFormatError, firstFault, readTextFile } from "../../base/index.js";
import type { AlarmEvent, EpochEvent, GuardEvent, RollBackEvent } from "../events.js";

const share = z.number().min(0).max(1);
const position = { epoch: z.int().min(1), step: z.int().min(0) };

export const epochEvent = z.object({
  type: z.literal("epoch"),
  ...position,
  loss: z.number(),
  clean: share,
  validation: z.array(z.object({ attack: z.string(), accuracy: share })),
  commonestClass: share,
  seconds: z.number().min(0),
  secondsPerStep: z.number().min(0),
});

export const alarmKind = z.enum([
  "catastrophic-overfitting",
  "loss-not-finite",
  "zero-gradient",
  "constant-output",
]);

export const alarmEvent = z.object({
  type: z.literal("alarm"),
  kind: alarmKind,
  ...position,
  message: z.string(),
});

/** The events that a run logs; the others can be told from them and the checkpoint. */
const loggedEvent = z.discriminatedUnion("type", [
  epochEvent,
  alarmEvent,
  z.object({
    type: z.literal("guard"),
    ...position,
    alignment: z.number(),
    lossFell: share,
    clean: share,
    fgsm: share,
    pgd: share,
    verdict: z.enum(["good", "doubtful", "overfitted"]),
  }),
  z.object({
    type: z.literal("roll-back"),
    ...position,
    to: z.int().min(0),
    stepScale: z.number().positive(),
  }),
]);

/**
 * The events of an events.jsonl file, none if it does not exist. Throws a FileFormatError that names the line
 * which is no event; only a last line without an end, as a killed process leaves it, is passed over.
 */
export function readEvents(path: string): (EpochEvent | AlarmEvent | GuardEvent | RollBackEvent)[] {
  if (!existsSync(path)) return [];
  const lines = readTextFile(path).split("\n");
  lines.pop();
  return lines.map((line, index) => {
    try {
      return loggedEvent.parse(JSON.parse(line));
    } catch (cause) {
      const problem = cause instanceof z.ZodError ? firstFault(cause) : (cause as Error).message;
      throw new FileFormatError(`${path}:${index + 1}: not an event of a run: ${problem}`, { cause });
    }
  });
}

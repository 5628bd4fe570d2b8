import * as z from "zod";

const position = { epoch: z.number(), step: z.number().min(0) };
const attacked = z.object({ attack: z.string(), accuracy: z.number() });

/** Epoch as a run logs it. */
export const epochSchema = z.object({
  type: z.literal("epoch"),
  ...position,
  loss: z.number(),
  clean: z.number(),
  validation: z.array(attacked).max(64),
  seconds: z.number().default(0),
});

/** Alarm as a run logs it. */
export const alarmSchema = z.object({
  type: z.literal("alarm"),
  kind: z.string(),
  ...position,
  message: z.string(),
});

const eventSchema = z.discriminatedUnion("type", [
  epochSchema,
  alarmSchema,
  z.object({ type: z.literal("guard"), ...position, verdict: z.string() }),
  z.object({ type: z.literal("roll-back"), ...position, to: z.number(), stepScale: z.number() }),
]);

const stepSchema = z.object({ step: z.number().min(0), loss: z.number(), learningRate: z.number() });

/** Event out of events.jsonl. */
export type RunEvent = z.output<typeof eventSchema>;

/** Epoch out of events.jsonl. */
export type RunEpoch = z.output<typeof epochSchema>;

/** Alarm out of events.jsonl. */
export type RunAlarm = z.output<typeof alarmSchema>;

/** Line of steps.jsonl. */
export type RunStep = z.output<typeof stepSchema>;

function parsed<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Event of a line; undefined where the line is none. */
export const eventOf = (line: string): RunEvent | undefined => parsed(line, eventSchema);

/** Step of a line; undefined where the line is none. */
export const stepOf = (line: string): RunStep | undefined => parsed(line, stepSchema);

import type * as z from "zod";
import { checkKind, checkNumber } from "../../base/index.js";
import { type Factory, Kind, ratio, type Value } from "../../options/index.js";

/** Length of a run. */
export interface RunLength {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
}

/** Schedule before its options name it. */
export interface ScheduleWork {
  /** Learning rate at each training step, 0 to the run's steps - 1. */
  rates(length: RunLength): (step: number) => number;
}

/** Schedule of the learning rate with its options, such as `oneCycle({ peak: 0.05 })`. */
export interface Schedule extends ScheduleWork, Value {
  readonly name: string;
}

/** Every schedule by its name: `schedules.parse("step(peak=0.1, epochs=30)")`. */
export const schedules = new Kind<ScheduleWork, Schedule>("schedule", "one-cycle(peak=0.05)");

/** Defines a schedule: `rates` says for checked options and a run of `total` steps the rate at each. */
export function defineSchedule<const Name extends string, Schema extends z.ZodObject>(
  name: Name,
  definition: {
    readonly summary: string;
    readonly options: Schema;
    rates(
      options: z.output<Schema>,
      length: RunLength & { readonly total: number },
    ): (step: number) => number;
  },
): Factory<Schedule, Name, Schema> {
  const what = schedules.checkParts(name, definition);
  const { summary, options: schema, rates } = definition;
  checkKind(`${what}: rates`, rates, "a function", typeof rates === "function");
  return schedules.define(name, {
    summary,
    options: schema,
    create: (options) => ({
      rates({ epochs, stepsPerEpoch }) {
        for (const [what, count] of Object.entries({ epochs, stepsPerEpoch })) {
          checkNumber(what, count, "a whole number >= 1", Number.isInteger(count) && count >= 1);
        }
        return rates(options, { epochs, stepsPerEpoch, total: epochs * stepsPerEpoch });
      },
    }),
  });
}

/** Options that schedules share. */
export const peak = ratio({ above: 0 }).default(0.1).describe("highest learning rate");
export const peakAt = (value: number) =>
  ratio({ above: 0, below: 1 }).default(value).describe("share of the run until the peak");

/** Value on the way from one to another along half a cosine, of which a share is done. */
export function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}

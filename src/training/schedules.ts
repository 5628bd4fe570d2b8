import * as z from "zod";
import {
  constantSchedule,
  cosineSchedule,
  oneCycleSchedule,
  type Schedule,
  stepSchedule,
  triangularSchedule,
} from "../nn/index.js";
import { define, Registry } from "../options/named.js";
import { ratio } from "../options/ratio.js";

/** A schedule for a run: known only once the run's length is. */
export interface ScheduleChoice {
  schedule(length: { epochs: number; stepsPerEpoch: number }): Schedule;
}

const peak = ratio({ above: 0 }).default(0.1).describe("highest learning rate");
const peakAt = (value: number) =>
  ratio({ above: 0, below: 1 }).default(value).describe("share of the run until the peak");

const constant = define({
  name: "constant",
  summary: "the same rate throughout",
  options: z.strictObject({ peak }),
  create: (options): ScheduleChoice => ({ schedule: () => constantSchedule(options.peak) }),
});

const step = define({
  name: "step",
  summary: "a tenth every 30 epochs, as the paper",
  options: z.strictObject({
    peak,
    epochs: ratio({ above: 0 }).default(30).describe("epochs between two drops"),
    factor: ratio({ above: 0, max: 1 }).default(0.1).describe("what a drop multiplies the rate by"),
  }),
  create: (options): ScheduleChoice => ({
    schedule: ({ stepsPerEpoch }) => stepSchedule(options.peak, options.epochs * stepsPerEpoch, options.factor),
  }),
});

const cosine = define({
  name: "cosine",
  summary: "half a cosine down to 0",
  options: z.strictObject({ peak }),
  create: (options): ScheduleChoice => ({
    schedule: ({ epochs, stepsPerEpoch }) => cosineSchedule(options.peak, epochs * stepsPerEpoch),
  }),
});

const triangular = define({
  name: "triangular",
  summary: "linearly up and down (Wong et al. 2020)",
  options: z.strictObject({ peak, peakAt: peakAt(0.5) }),
  create: (options): ScheduleChoice => ({
    schedule: ({ epochs, stepsPerEpoch }) => triangularSchedule(options.peak, epochs * stepsPerEpoch, options.peakAt),
  }),
});

const oneCycle = define({
  name: "one-cycle",
  summary: "up and down along cosines (Smith and Topin 2018)",
  options: z.strictObject({ peak, peakAt: peakAt(0.3) }),
  create: (options): ScheduleChoice => ({
    schedule: ({ epochs, stepsPerEpoch }) => oneCycleSchedule(options.peak, epochs * stepsPerEpoch, options.peakAt),
  }),
});

/** Every learning-rate schedule: `schedules.parse("step(peak=0.1, epochs=30)")`. */
export const schedules = new Registry<ScheduleChoice>("schedule", [constant, step, cosine, triangular, oneCycle]);

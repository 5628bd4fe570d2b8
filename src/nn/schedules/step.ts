import * as z from "zod";
import { ratio } from "../../options/index.js";
import { defineSchedule, peak } from "./schedule.js";

/** The peak, multiplied by `factor` after every `epochs` epochs; the paper: a tenth every 30. */
export const stepRate = defineSchedule("step", {
  summary: "a tenth every 30 epochs, as the paper trains on MNIST",
  options: z.strictObject({
    peak,
    epochs: ratio({ above: 0 }).default(30).describe("epochs between two drops"),
    factor: ratio({ above: 0, max: 1 }).default(0.1).describe("factor of the rate at a drop"),
  }),
  rates:
    ({ peak, epochs, factor }, { stepsPerEpoch }) =>
    (step) =>
      peak * factor ** Math.floor(step / (epochs * stepsPerEpoch)),
});

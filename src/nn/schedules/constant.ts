import * as z from "zod";
import { defineSchedule, peak } from "./schedule.js";

/** The same rate throughout. */
export const constantRate = defineSchedule("constant", {
  summary: "the same rate throughout",
  options: z.strictObject({ peak }),
  rates:
    ({ peak }) =>
    () =>
      peak,
});

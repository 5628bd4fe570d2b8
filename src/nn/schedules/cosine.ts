import * as z from "zod";
import { defineSchedule, peak } from "./schedule.js";

/** From the peak to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts). */
export const cosineRate = defineSchedule("cosine", {
  summary: "half a cosine down to 0",
  options: z.strictObject({ peak }),
  rates:
    ({ peak }, { total }) =>
    (step) =>
      (peak / 2) * (1 + Math.cos((Math.PI * Math.min(step, total)) / total)),
});

import * as z from "zod";
import { defineSchedule, peak, peakAt } from "./schedule.js";

/**
 * Linearly up to the peak at `peakAt` of the way, and down (Wong et al. 2020's cyclic rate). The zeros lie
 * one step before the first and one after the last, so that no step is lost.
 */
export const triangular = defineSchedule("triangular", {
  summary: "linearly up and down (Wong et al. 2020)",
  options: z.strictObject({ peak, peakAt: peakAt(0.5) }),
  rates({ peak, peakAt }, { total }) {
    const turn = peakAt * total;
    return (step) =>
      peak * Math.max(0, step < turn ? (step + 1) / (turn + 1) : (total - step) / (total - turn));
  },
});

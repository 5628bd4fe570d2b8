import * as z from "zod";
import { cosine, defineSchedule, peak, peakAt } from "./schedule.js";

/**
 * One cycle (Smith and Topin 2018, with PyTorch's cosine legs): from peak / 25 up to the peak at `peakAt` of
 * the way, then down to peak / 25e4.
 */
export const oneCycle = defineSchedule("one-cycle", {
  summary: "up and down along cosines (Smith and Topin 2018)",
  options: z.strictObject({ peak, peakAt: peakAt(0.3) }),
  rates({ peak, peakAt }, { total }) {
    // A run of one step learns at the peak; the end of the cycle would be next to nothing.
    if (total === 1) return () => peak;
    const top = peakAt * total - 1;
    return (step) => {
      const at = Math.min(step, total - 1);
      if (top > 0 && at <= top) return cosine(peak / 25, peak, at / top);
      return cosine(peak, peak / 25e4, (at - top) / (total - 1 - top || 1));
    };
  },
});

import * as z from "zod";
import { PixelThreshold } from "../nn/index.js";
import { defineModel, imageOptions } from "./architecture.js";
import { mnistImages, vanillaCnnActivations, vanillaCnnLayers } from "./vanilla-cnn.js";

/**
 * A quarter of SMALL's arithmetic, in the same form, for training in half a minute. Trained against
 * l-infinity perturbations of 0.3, networks for MNIST find thresholds of a pixel by themselves (Madry et al.
 * 2018, appendix C), late; this one begins with one.
 */
export const compact = defineModel("compact", {
  summary: "the vanilla CNN with 8, 16 and 32 filters, behind a threshold of each pixel",
  options: imageOptions.extend({
    threshold: z.boolean().default(true).describe("read pixels up to 0.4 as black and from 0.6 on as white"),
  }),
  defaults: mnistImages,
  layout({ threshold, inputShape, classes, mean }) {
    if (threshold && mean !== undefined) {
      const problem = "its threshold is one of pixels in [0, 1], which mean and std change";
      throw new RangeError(`model compact: ${problem}: give threshold=false`);
    }
    const first = threshold ? { threshold: new PixelThreshold(0.4, 0.6) } : {};
    return {
      activations: vanillaCnnActivations,
      layers: (seed) => vanillaCnnLayers(seed, { filters: 8, inputShape, classes, first }),
    };
  },
});

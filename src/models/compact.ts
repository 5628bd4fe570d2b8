import * as z from "zod";
import { PixelThreshold } from "../nn/index.js";
import { defineModel } from "./model.js";
import { vanillaCnnLayers } from "./vanilla-cnn.js";

/**
 * A quarter of SMALL's arithmetic, in the same form, for training in half a minute. Trained against l-infinity perturbations of 0.3,
 * networks for MNIST find thresholds of a pixel by themselves (Madry et al. 2018, appendix C), late; this one begins with one.
 */
export const compact = defineModel("compact", {
  summary: "the vanilla CNN with 8, 16 and 32 filters, behind a threshold of each pixel, for 28 x 28 images",
  options: z.strictObject({
    threshold: z.boolean().default(true).describe("read pixels up to 0.4 as black and from 0.6 on as white"),
  }),
  architecture: ({ threshold }) => ({
    inputShape: [1, 28, 28],
    classes: 10,
    quantizedLayers: { relu1: 1, relu2: 2 },
    layers: (seed) =>
      vanillaCnnLayers(seed, 8, { first: threshold ? { threshold: new PixelThreshold(0.4, 0.6) } : {} }),
  }),
});

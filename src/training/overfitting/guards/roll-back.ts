import * as z from "zod";
import { ratio } from "../../../options/index.js";
import { defineGuard } from "./guard.js";

/** On catastrophic overfitting, back to the last good model with a smaller step of the method. */
export const rollBack = defineGuard("roll-back", {
  summary: "on catastrophic overfitting, back to the last good model with a smaller step",
  options: z.strictObject({
    interval: z.int().min(1).default(200).describe("steps between two checks by an attack"),
    signalInterval: z
      .int()
      .min(1)
      .default(20)
      .describe("steps between two measurements on the training batch"),
    images: z.int().min(1).default(256).describe("held-out images that a check attacks"),
    steps: z.int().min(1).default(10).describe("steps of the PGD attack of a check"),
    factor: ratio({ above: 0, below: 1 }).default(0.5).describe("factor of the method's step at a roll-back"),
    limit: z.int().min(0).default(5).describe("largest number of roll-backs in a run"),
  }),
  create: (rules) => ({ rules }),
});

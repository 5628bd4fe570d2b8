import * as z from "zod";
import { type LossName, losses } from "../../nn/losses.js";

/** The number of a randomized network's draws that the answer to a query is a mean or a majority of. */
export const queryDraws = z
  .int()
  .min(1)
  .default(8)
  .describe("draws of a randomized network that each answer is taken over");

/** Queries of one gradient estimate. */
export const samplesOption = (value: number) =>
  z.int().min(2).multipleOf(2).default(value).describe("queries of a gradient estimate, half of them each way");

/** What a gradient is estimated of. */
export const queryLoss = z
  .enum(Object.keys(losses) as [LossName, ...LossName[]])
  .default("margin")
  .describe("the loss whose gradient is estimated");

/** Random images that a decision-based attack may start from. */
export const initialTries = z
  .int()
  .min(1)
  .default(100)
  .describe("random images tried for one that is misclassified, to start from");

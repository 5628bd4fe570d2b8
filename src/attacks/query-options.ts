import * as z from "zod";

/** The number of a randomized network's draws that the answer to a query is a mean or a majority of. */
export const queryDraws = z
  .int()
  .min(1)
  .default(8)
  .describe("draws of a randomized network that each answer is taken over");

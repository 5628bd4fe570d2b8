import * as z from "zod";
import { defineCombinator } from "./combinator.js";

/**
 * Any attack on the expectation over a randomized network's draws: every gradient and answer is a mean over fresh draws
 * (expectation over transformation; Athalye, Engstrom, Ilyas and Kwok 2018, section 2.1). `mean` says of what: of the loss,
 * or of the softmax, whose loss is then taken (Tramer et al. 2020, section 5). Against a deterministic network, the attack.
 */
export const expectation = defineCombinator("expectation", {
  summary: "another attack on the mean over a randomized network's draws",
  takes: "one attack",
  options: z.strictObject({
    draws: z.int().min(1).default(20).describe("draws that each gradient and each answer is averaged over"),
    mean: z
      .enum(["loss", "softmax"])
      .default("loss")
      .describe("what is averaged: the loss, or the class probabilities"),
  }),
  run: ({ draws, mean }, [attack], target, images, labels) =>
    target.run(attack, images, labels, { view: { draws, mean } }),
});

import * as z from "zod";
import { defineCombinator } from "../contract/combinator.js";
import { mostSteps } from "../contract/options.js";

/**
 * Attack on the expectation over a randomized classifier's draws: every gradient and answer is a mean over
 * fresh draws (expectation over transformation; Athalye, Engstrom, Ilyas and Kwok 2018, section 2.1). The
 * mean is that of the loss, or of the softmax, whose loss is then taken (Tramer et al. 2020, section 5). A
 * deterministic classifier meets the attack itself.
 */
export const expectation = defineCombinator("expectation", {
  summary: "another attack on the mean over a randomized classifier's draws",
  takes: "one attack",
  options: z.strictObject({
    draws: z
      .int()
      .min(1)
      .max(mostSteps)
      .default(20)
      .describe("draws over which each gradient and each answer is averaged"),
    mean: z
      .enum(["loss", "softmax"])
      .default("loss")
      .describe("quantity averaged: the loss, or the class probabilities"),
  }),
  run: ({ draws, mean }, [attack], victim, images, labels) =>
    victim.run(attack, images, labels, { view: { draws, mean } }),
});

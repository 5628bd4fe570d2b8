import { deriveSeed } from "../../../../base/index.js";
import { flagsOf } from "../../../../trials/index.js";
import { defineCheck } from "../check.js";

/**
 * A model whose answers depend on more than the image, or are no logits, cannot be evaluated image by image.
 */
export const predictions = defineCheck("predictions", {
  question: "Are outputs logits that depend on the image and the draw alone?",
  source: "Carlini et al. 2019, section 4.2; RobustBench, restrictions",
  group: "answers",
  judge({ players, seed, batchSize }, { sample }) {
    const flags = flagsOf(players.model, sample, deriveSeed(seed, "predictions"), batchSize);
    if (flags.length === 0) return { outcome: "passed", evidence: "logits, the same in every batch" };
    return { outcome: "invalid", evidence: flags.map(({ message }) => message).join("; ") };
  },
});

import type { Player } from "../../../../trials/index.js";
import { defineCheck } from "../check.js";

const isModel = ({ player }: { player: Player }) => player === "model" || player.startsWith("fixed-seed:");
const outcomes = { logits: "invalid", gradients: "masked" } as const;

/**
 * A comparison with NaN is false and its sign is 0: an attack that meets it fails without any robustness.
 * Numbers of a surrogate or of another model say nothing about the audited one.
 */
export const finite = defineCheck("finite", {
  question: "Are all logits and gradients finite that the audit meets?",
  source: "Athalye et al. 2018, section 3; Pintor et al. 2022, indicator 1",
  group: "answers",
  judge(_, { trials }) {
    const stopped = trials.map(({ stops }) => stops.filter(isModel)).filter((stops) => stops.length > 0);
    if (stopped.length === 0) return { outcome: "passed", evidence: `in all of ${trials.length} trials` };
    const stops = stopped.flat();
    const { what, message } = stops.find((stop) => stop.what === "logits") ?? stops[0]!;
    return {
      outcome: outcomes[what],
      evidence: `${message} (${stopped.length} of ${trials.length} trials stopped)`,
    };
  },
});

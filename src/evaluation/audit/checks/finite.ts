import type { Player } from "../../../trials/players.js";
import type { AuditPlan, Check, Finding } from "../check.js";

const isAudited = ({ player }: { player: Player }) => player === "network" || player.startsWith("known-draw:");
const outcomes = { logits: "invalid", gradients: "masked" } as const;

/**
 * A comparison with NaN is false and its sign is 0: an attack that meets it fails without any robustness. Numbers of a
 * substitute or of another network say nothing of the audited one.
 */
export const finite: Check = {
  name: "finite",
  question: "Are all logits and gradients finite that the audit meets?",
  source: "Athalye et al. 2018, section 3; Pintor et al. 2022, indicator 1",
  trials: () => [],
  judge(_: AuditPlan, { trials }): Finding {
    const stopped = trials.map(({ stops }) => stops.filter(isAudited)).filter((stops) => stops.length > 0);
    if (stopped.length === 0) return { outcome: "passed", evidence: `in all of ${trials.length} trials` };
    const stops = stopped.flat();
    const { what, message } = stops.find((stop) => stop.what === "logits") ?? stops[0]!;
    return { outcome: outcomes[what], evidence: `${message} (${stopped.length} of ${trials.length} trials stopped)` };
  },
};

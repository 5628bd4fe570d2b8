import type { AuditPlan, Check, Finding } from "../check.js";

const outcomes = { logits: "invalid", gradients: "masked" } as const;

/** A comparison with NaN is false and its sign is 0: an attack that meets it fails without any robustness. */
export const finite: Check = {
  name: "finite",
  question: "Are all logits and gradients finite that the audit meets?",
  source: "Athalye et al. 2018, section 3; Pintor et al. 2022, indicator 1",
  trials: () => [],
  judge(_: AuditPlan, { trials }): Finding {
    const stopped = trials.filter(({ stop }) => stop !== undefined);
    if (stopped.length === 0) return { outcome: "passed", evidence: `in all of ${trials.length} trials` };
    const worst = stopped.find(({ stop }) => stop!.what === "logits") ?? stopped[0]!;
    const { what, message } = worst.stop!;
    return { outcome: outcomes[what], evidence: `${message} (${stopped.length} of ${trials.length} trials stopped)` };
  },
};

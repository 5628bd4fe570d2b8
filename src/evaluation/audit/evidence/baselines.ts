import { noise } from "../../../attacks/index.js";
import { blackBox, type Trial } from "../../../trials/index.js";
import type { AuditPlan } from "../plan.js";

/** Baseline that puts an accuracy in context. */
export interface Baseline {
  readonly name: string;
  readonly trial: Trial;
}

/** One draw of noise of the audited radius on each image, where it is worse than none: no attack at all. */
export function baselinesOf({ norm, epsilon }: Pick<AuditPlan, "norm" | "epsilon">): Baseline[] {
  return (["uniform", "sign"] as const).map((distribution) => ({
    name: `${distribution} noise`,
    trial: blackBox(noise({ norm, epsilon, distribution, tries: 1 })),
  }));
}

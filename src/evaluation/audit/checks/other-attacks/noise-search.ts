import { noise } from "../../../../attacks/index.js";
import { blackBox, type Trial } from "../../../../trials/index.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";
import { againstGradients } from "./against-gradients.js";

type Named = readonly { readonly name: string; readonly trial: Trial }[];

function noises({ norm, epsilon, budget: { noiseTries, gaussianTries } }: AuditPlan): Named {
  const uniform = noise({ norm, epsilon, tries: noiseTries });
  const named = [{ name: "noise", trial: blackBox(uniform) }];
  if (gaussianTries === undefined) return named;
  const gaussian = noise({ norm, epsilon, distribution: "gaussian", tries: gaussianTries });
  return [...named, { name: "Gaussian noise", trial: blackBox(gaussian) }];
}

/** The best of many random points must not be stronger than gradients. */
export const noiseSearch = defineCheck("noise-search", {
  question: "Is the best of many random points no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: (plan) => noises(plan).map(({ trial }) => trial),
  judge(plan, results) {
    const found = noises(plan).map(({ name, trial }) => ({ name, answers: results.of(trial).answers }));
    return againstGradients(found, results);
  },
});

import { minimalByDecisions } from "../../curves/curve-attacks.js";
import { defineCheck } from "../check.js";
import { againstGradients } from "./against-gradients.js";

/** An attack that sees labels alone must not be stronger than gradients. */
export const decisionBased = defineCheck("decision-based", {
  question: "Is an attack that sees labels alone no stronger than gradients?",
  source: "Carlini et al. 2019, section 4.3",
  trials: (plan) => minimalByDecisions(plan).map(({ within }) => within),
  judge(plan, results) {
    const found = minimalByDecisions(plan).map(({ name, within }) => ({
      name,
      answers: results.of(within).answers,
    }));
    return againstGradients(found, results);
  },
});

import { defineAttack } from "./contract/attack.js";
import { momentumAscent, momentumOptions } from "./search/momentum-gradient.js";

/** The momentum iterative method: steps along gradients that are accumulated (Dong et al. 2018, algorithm 1). */
export const miFgsm = defineAttack("mi-fgsm", {
  summary: "FGSM steps along gradients with momentum, which transfer better",
  options: momentumOptions,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: true, randomized: false }),
  run: (given, target, images, labels) => momentumAscent(given, false, target, images, labels),
});

import { defineAttack } from "./contract/attack.js";
import { momentumAscent, momentumOptions } from "./search/momentum-gradient.js";

/** MI-FGSM with Nesterov's look-ahead: the gradient is taken where the momentum leads (Lin et al. 2020, section 3.1). */
export const niFgsm = defineAttack("ni-fgsm", {
  summary: "FGSM steps with Nesterov momentum, which transfer better",
  options: momentumOptions,
  traits: ({ norm, epsilon }) => ({ norm, radius: epsilon, usesGradients: true, randomized: false }),
  run: (given, target, images, labels) => momentumAscent(given, true, target, images, labels),
});

import { scope } from "../../engine/index.js";
import { defineAttack } from "../contract/attack.js";
import { classesFault, goalOf, lossOf, unlessAtTarget } from "../contract/options.js";
import { norms, toMeanSize1_ } from "../geometry/norms.js";
import { momentumOptions } from "./mi-fgsm.js";

/**
 * MI-FGSM with Nesterov's look-ahead. The gradient is taken at x + decay * stepSize * m, where the momentum m
 * leads (Lin et al. 2020, section 3.1).
 */
// paper: divides by the sum of |gradient|; the mean, as in the authors' code, makes the look-ahead about a
// step long.
export const niFgsm = defineAttack("ni-fgsm", {
  summary: "FGSM steps with Nesterov momentum, which transfer better",
  options: momentumOptions,
  traits: ({ norm, epsilon, target }) => ({
    norm,
    radius: epsilon,
    usesGradients: true,
    randomized: false,
    target,
  }),
  fault: (options, { classes }) => classesFault(options, classes),
  run({ epsilon, steps, stepSize = epsilon / steps, decay, ...options }, victim, images, labels) {
    const norm = norms[options.norm];
    const ball = norm.ball(images, epsilon);
    const goal = goalOf(options.target, victim, images, labels);
    const adversarial = images.clone();
    const momentum = images.zerosLike();
    for (let step = 0; step < steps; step++) {
      scope(() => {
        const ahead = adversarial.add(momentum, decay * stepSize);
        const { gradient } = victim.gradient(ahead, lossOf("cross-entropy", goal));
        toMeanSize1_(gradient);
        momentum.mul_(decay);
        momentum.add_(gradient);
        norm.ascend_(adversarial, momentum.clone(), stepSize, ball);
      });
    }
    return unlessAtTarget(goal, images, adversarial);
  },
});

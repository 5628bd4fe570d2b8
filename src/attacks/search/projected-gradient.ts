import { scope, type Tensor } from "../../engine/index.js";
import type { Norm } from "../contract/attack.js";
import type { Target } from "../contract/target.js";
import { norms } from "../geometry/norms.js";

/** How the steps of projected gradient ascent go. */
export interface AscentOptions {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  readonly randomStart: boolean;
}

/**
 * Projected gradient ascent on a loss of the logits (N, classes) -> (N); returns the last iterate (Madry et al. 2018).
 *
 * `restart` numbers the random start. Each step goes `stepSize` far in the norm along its steepest ascent.
 */
export function projectedGradientAscent(
  options: AscentOptions,
  target: Target,
  images: Tensor,
  loss: (logits: Tensor) => Tensor,
  restart = 0,
): Tensor {
  const { epsilon, stepSize, steps, randomStart } = options;
  const norm = norms[options.norm];
  const ball = norm.ball(images, epsilon);
  const adversarial = images.clone();
  if (randomStart) {
    scope(() => {
      adversarial.add_(norm.inside(target, images.shape.slice(1), epsilon, restart));
      ball.project_(adversarial);
    });
  }
  for (let step = 0; step < steps; step++) {
    scope(() => {
      const { gradient } = target.gradient(adversarial, loss);
      norm.ascend_(adversarial, gradient, stepSize, ball);
    });
  }
  return adversarial;
}

import { scope, type Tensor } from "../engine/index.js";
import { type Ball, l2Ball, l2Norms, linfBall } from "./ball.js";
import type { Target } from "./target.js";

/** How the steps of projected gradient ascent go. */
export interface AscentOptions {
  readonly norm: "linf" | "l2";
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  readonly randomStart: boolean;
}

/**
 * Projected gradient ascent on a loss of the logits (N, classes) -> (N); returns the last iterate (Madry et al. 2018).
 *
 * `restart` numbers the random start. The l-infinity step is the gradient's sign, the l2 step the gradient divided by its
 * length.
 */
export function projectedGradientAscent(
  options: AscentOptions,
  target: Target,
  images: Tensor,
  loss: (logits: Tensor) => Tensor,
  restart = 0,
): Tensor {
  const ball = options.norm === "linf" ? linfBall(images, options.epsilon) : l2Ball(images, options.epsilon);
  const adversarial = images.clone();
  if (options.randomStart) startRandomly(options, target, adversarial, ball, restart);
  for (let step = 0; step < options.steps; step++) {
    scope(() => {
      const { gradient } = target.gradient(adversarial, loss);
      if (options.norm === "linf") gradient.sign_();
      else gradient.div_(l2Norms(gradient).add(1e-10));
      adversarial.add_(gradient, options.stepSize);
      ball.project_(adversarial);
    });
  }
  return adversarial;
}

/** Moves images in place: uniform in the l-infinity ball; in the l2 ball, uniform direction and uniform radius. */
function startRandomly(options: AscentOptions, target: Target, images: Tensor, ball: Ball, restart: number): void {
  const { epsilon } = options;
  const shape = images.shape.slice(1);
  scope(() => {
    if (options.norm === "linf") {
      images.add_(target.uniform(shape, -epsilon, epsilon, restart));
    } else {
      const direction = target.normal(shape, 2 * restart);
      const radius = target.uniform([1, 1, 1], 0, epsilon, 2 * restart + 1);
      images.add_(direction.mul(radius.div(l2Norms(direction))));
    }
    ball.project_(images);
  });
}

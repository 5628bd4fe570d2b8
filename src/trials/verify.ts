import { perturbationLengths } from "../attacks/geometry/perturbation-length.js";
import type { Attack } from "../attacks/index.js";
import { noGrad, scope, type Tensor } from "../engine/index.js";

/** What float32 may add to a radius, as a share of it where it is above 1. */
const tolerance = 1e-6;

/**
 * Throws an Error that names the attack unless what it made are float32 images of the same shape, inside [0, 1] and, where
 * a radius bounds it, within the radius of the images in its norm.
 */
export function verifyAdversarial(attack: Attack, images: Tensor, adversarial: Tensor): void {
  const fault = noGrad(() => scope(() => faultOf(attack, images, adversarial)));
  if (fault !== undefined) throw new Error(`attack ${attack.label} ${fault}; its result is not counted`);
}

function faultOf({ traits }: Attack, images: Tensor, adversarial: Tensor): string | undefined {
  if (adversarial.dtype !== "float32" || adversarial.shape.join() !== images.shape.join()) {
    const [given, wanted] = [adversarial, images].map(({ dtype, shape }) => `${dtype} [${shape.join(", ")}]`);
    return `returned ${given}, not ${wanted}`;
  }
  const [low, high] = [adversarial.amin().item(), adversarial.amax().item()];
  if (!(low >= 0 && high <= 1)) return `left the pixel range [0, 1]: it returned ${low} .. ${high}`;
  if (traits.radius === undefined || traits.norm === "none") return undefined;
  const farthest = perturbationLengths(adversarial.to("float64").sub(images), traits.norm).amax().item();
  if (farthest <= traits.radius + tolerance * Math.max(1, traits.radius)) return undefined;
  return `left its ball: ${traits.norm} distance ${farthest.toPrecision(7)}, but its radius is ${traits.radius}`;
}

import { type Attack, perturbationLengths } from "../attacks/index.js";
import { noGrad, scope, type Tensor } from "../engine/index.js";
import { formatRatio } from "../options/index.js";

/** Rounding that float32 may add to a radius, as a share of it where it is above 1. */
const tolerance = 1e-6;

/**
 * Checks adversarial images: float32, of the shape of the images, inside [0, 1] and within the attack's
 * radius, if any. Throws an Error that names the attack otherwise.
 */
export function verifyAdversarial(attack: Attack, images: Tensor, adversarial: Tensor): void {
  const fault = noGrad(() => scope(() => faultOf(attack, images, adversarial)));
  if (fault !== undefined) throw new Error(`attack ${attack} ${fault}; its result is not counted`);
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
  const distance = `${traits.norm} distance ${farthest.toPrecision(7)}`;
  return `left its ball: ${distance}, but its radius is ${formatRatio(traits.radius)}`;
}

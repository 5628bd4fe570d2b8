import { type Attack, perturbationLengths } from "../attacks/index.js";
import { noGrad, scope, type Tensor } from "../engine/index.js";
import { formatRatio } from "../options/index.js";

/** Rounding of a perturbation in float32, as a share of its radius where that is above 1. */
const tolerance = 1e-6;

/** Most by which float32 rounds a pixel: half the step between numbers in [0.5, 1]. */
const pixelRounding = 2 ** -25;

/**
 * Checks adversarial images: float32, of the shape of the images, inside [0, 1] and within the attack's
 * radius, if any, but for the rounding of their pixels. Throws an Error that names the attack otherwise.
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
  const moves = adversarial.to("float64").sub(images);
  const lengths = perturbationLengths(moves, traits.norm);
  const farthest = lengths.amax().item();
  const most = traits.radius + tolerance * Math.max(1, traits.radius);
  if (farthest <= most) return undefined;
  // Triangle inequality: the sum image + perturbation is off by the length of its pixels' rounding at most.
  const rounding = perturbationLengths(moves.ne(0).to("float64").mul(pixelRounding), traits.norm);
  if (lengths.sub(rounding).amax().item() <= most) return undefined;
  const distance = `${traits.norm} distance ${farthest.toPrecision(7)}`;
  return `left its ball: ${distance}, but its radius is ${formatRatio(traits.radius)}`;
}

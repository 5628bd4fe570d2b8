import { type Attack, bim, fgsm, type Norm, norms, pgd } from "../../attacks/index.js";
import type { TrainingMethod } from "./method.js";

/** Ball that training images lie in, and that attacks of validation stay in. */
export interface TrainedBall {
  readonly epsilon: number;
  readonly norm: Norm;
}

/**
 * Ball that a method trains for; undefined where it trains for none.
 *
 * @throws RangeError for a ball that no attack of ours stays in
 */
export function ballOf(method: TrainingMethod): TrainedBall | undefined {
  const { epsilon, norm = "linf" } = method;
  if (epsilon === undefined) return undefined;
  if (!Object.hasOwn(norms, norm)) {
    const accepted = Object.keys(norms).join(", ");
    throw new RangeError(`method ${method}: norm "${norm}" has no attack to check by; accepted: ${accepted}`);
  }
  if (!(epsilon >= 0 && epsilon < Number.POSITIVE_INFINITY))
    throw new RangeError(`method ${method}: its radius must be a number of at least 0, not ${epsilon}`);
  if (norm === "linf" && epsilon > 1) {
    throw new RangeError(
      `method ${method} trains for an l-infinity radius of ${epsilon}, but that is at most 1: ` +
        "a method of another norm gives its norm",
    );
  }
  return { epsilon, norm };
}

/** One step of the whole radius: FGSM, or its form in another norm. */
export function singleStep({ epsilon, norm }: TrainedBall): Attack {
  return norm === "linf" ? fgsm({ epsilon }) : bim({ epsilon, norm, steps: 1, stepSize: epsilon });
}

/**
 * Attacks in a ball where none are named, in validation and evaluation: one step, and twenty of a tenth of
 * its radius. `norm` is l-infinity where left out.
 */
export function usualAttacks(epsilon: number | undefined, norm: Norm = "linf"): Attack[] {
  if (epsilon === undefined || epsilon === 0) return [];
  return [singleStep({ epsilon, norm }), pgd({ epsilon, norm, stepSize: epsilon / 10, steps: 20 })];
}

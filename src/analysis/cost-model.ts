/** A measured training step: gradient steps of its attack (0 for clean images), and seconds an iteration. */
export interface MeasuredCost {
  readonly kappa: number;
  readonly seconds: number;
}

function checkCost({ kappa, seconds }: MeasuredCost): void {
  if (!(Number.isInteger(kappa) && kappa >= 0))
    throw new RangeError(`kappa must be an integer >= 0, not ${kappa}`);
  if (!(seconds >= 0 && Number.isFinite(seconds))) {
    throw new RangeError(`seconds must be finite and >= 0, not ${seconds}`);
  }
}

/**
 * Seconds an iteration of adversarial training with `kappa` gradient steps a batch: t = T + kappa * P, with T
 * the time of one pass forward and backward, and P that of a pass of the attack, as long as T where left out.
 */
// paper: equation 9, where passes of the attack are whole ones; they need no weights' gradients.
export function predictedSeconds(
  kappa: number,
  forwardBackward: number,
  attackPass: number = forwardBackward,
): number {
  checkCost({ kappa, seconds: forwardBackward });
  checkCost({ kappa, seconds: attackPass });
  return forwardBackward + kappa * attackPass;
}

/**
 * Left side of equation 10 over its right one: (kappa - 1) / 2 * tau over alpha, with tau the time of a pass
 * and alpha what SQA adds to it. Above 1, FGSM training with SQA is faster than PGD training.
 */
export function equation10(kappa: number, tau: number, alpha: number): number {
  checkCost({ kappa, seconds: tau });
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new RangeError(`alpha must be finite and above 0, not ${alpha}`);
  return (((kappa - 1) / 2) * tau) / alpha;
}

/**
 * The T that fits measured steps best, by least squares through the origin: sum t (kappa + 1) / sum (kappa +
 * 1)^2.
 */
export function fittedForwardBackward(measured: readonly MeasuredCost[]): number {
  if (measured.length === 0) throw new RangeError("measured must hold at least one step");
  measured.forEach(checkCost);
  const product = measured.reduce((sum, { kappa, seconds }) => sum + (kappa + 1) * seconds, 0);
  return product / measured.reduce((sum, { kappa }) => sum + (kappa + 1) ** 2, 0);
}

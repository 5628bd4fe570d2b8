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
 * Seconds an iteration of adversarial training with `kappa` gradient steps a batch: t = (kappa + 1) * T, with
 * T the time of one pass forward and backward.
 */
// paper: equations 9 and 10; this reading counts a pass of the attack, which needs no weights' gradients, as
// a whole one.
export function predictedSeconds(kappa: number, forwardBackward: number): number {
  checkCost({ kappa, seconds: forwardBackward });
  return (kappa + 1) * forwardBackward;
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

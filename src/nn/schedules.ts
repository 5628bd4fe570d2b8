/** The learning rate at a training step 0 .. total - 1. */
export type Schedule = (step: number) => number;

function checkTotal(total: number): void {
  if (!Number.isInteger(total) || total < 1) throw new RangeError(`total steps must be an integer >= 1, not ${total}`);
}

function checkPeak(peak: number): void {
  if (!(peak > 0 && peak < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`peak rate must be finite and > 0, not ${peak}`);
  }
}

/** The same rate throughout. */
export function constantSchedule(peak: number): Schedule {
  checkPeak(peak);
  return () => peak;
}

/** The peak, multiplied by `factor` after every `every` steps (the paper: a tenth every 30 epochs). */
export function stepSchedule(peak: number, every: number, factor = 0.1): Schedule {
  checkPeak(peak);
  if (!(every >= 1)) throw new RangeError(`every must be >= 1 step, not ${every}`);
  return (step) => peak * factor ** Math.floor(step / every);
}

/** The way from one value to another along half a cosine, of which a share is done. */
export function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}

/** From the peak to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts). */
export function cosineSchedule(peak: number, total: number): Schedule {
  checkPeak(peak);
  checkTotal(total);
  return (step) => (peak / 2) * (1 + Math.cos((Math.PI * Math.min(step, total)) / total));
}

/**
 * Linearly up to the peak at `peakAt` of the way, and down (Wong et al. 2020's cyclic rate). The zeros lie one step before
 * the first and one after the last, so that no step is lost.
 */
export function triangularSchedule(peak: number, total: number, peakAt = 0.5): Schedule {
  checkPeak(peak);
  checkTotal(total);
  if (!(peakAt > 0 && peakAt < 1)) throw new RangeError(`peakAt must lie in (0, 1), not ${peakAt}`);
  const turn = peakAt * total;
  return (step) => peak * Math.max(0, step < turn ? (step + 1) / (turn + 1) : (total - step) / (total - turn));
}

/**
 * One cycle (Smith and Topin 2018, with PyTorch's cosine legs): from peak / 25 up to the peak at `peakAt` of the way,
 * then down to peak / 25e4.
 */
export function oneCycleSchedule(peak: number, total: number, peakAt = 0.3): Schedule {
  checkPeak(peak);
  checkTotal(total);
  if (!(peakAt > 0 && peakAt < 1)) throw new RangeError(`peakAt must lie in (0, 1), not ${peakAt}`);
  const top = peakAt * total - 1;
  return (step) => {
    const at = Math.min(step, total - 1);
    if (top > 0 && at <= top) return cosine(peak / 25, peak, at / top);
    return cosine(peak, peak / 25e4, (at - top) / (total - 1 - top || 1));
  };
}

import { nearestName } from "./errors.js";

/** Names that other libraries give to options, by the names here; without case, "-" and "_". */
const aliases: Readonly<Record<string, readonly string[]>> = {
  epsilon: ["eps", "maxeps", "radius", "delta"],
  stepSize: ["alpha", "epsiter", "epsstep", "relstepsize", "absstepsize", "lr"],
  steps: ["nbiter", "niter", "iter", "iters", "iterations", "maxiter", "maxiterations", "numsteps", "nsteps"],
  restarts: ["nrestarts", "nbrestarts", "numrestarts", "numrandominit"],
  randomStart: ["randinit", "randominit", "randomstart"],
  queries: ["nqueries", "maxqueries", "nbqueries", "numqueries"],
  kappa: ["confidence", "conf"],
  norm: ["ord", "order", "p"],
  target: ["targeted", "ytarget"],
  noise: ["sigma"],
  batchSize: ["batch", "bs", "nbatch"],
  epochs: ["nepochs", "numepochs", "maxepochs", "nbepochs"],
  momentum: ["mu", "beta"],
  weightDecay: ["wd", "l2"],
  schedule: ["lr", "learningrate", "scheduler", "peak", "lrschedule"],
  model: ["network", "net", "architecture", "arch"],
  architecture: ["network", "net", "arch"],
  data: ["dataset", "images"],
  images: ["dataset", "data", "testset"],
  defenses: ["defense", "sqa"],
  method: ["attack", "adversary"],
  heldOut: ["holdout", "validation", "valsplit", "nval"],
  limit: ["nex", "nexamples", "numimages", "samples"],
  std: ["deviation", "stddev"],
};

/** Known name that a user most likely meant: another library's word for it, or the nearest in spelling. */
export function suggestedName(name: string, known: readonly string[]): string | undefined {
  const plain = name.toLowerCase().replace(/[-_]/g, "");
  return known.find((option) => aliases[option]?.includes(plain)) ?? nearestName(name, known);
}

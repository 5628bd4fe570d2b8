import * as z from "zod";
import { checkKind, deriveSeed } from "../base/index.js";
import {
  countedNormal,
  imageIdRange,
  keep,
  noGrad,
  operators as ops,
  scope,
  Tensor,
} from "../engine/index.js";
import { parseOptions } from "../options/index.js";
import { squaredDistances } from "./distances.js";

const options = z.strictObject({
  perplexity: z.number().min(1).default(30).describe("about how many neighbors a point has"),
  iterations: z.int().min(1).default(750).describe("steps of gradient descent"),
  seed: z.int().min(0).default(0).describe("seed of the points' places at the start"),
});
export type TSneOptions = z.input<typeof options>;

/**
 * State after an iteration; `divergence` is that of Kullback and Leibler, in nats, which it makes
 * smaller.
 */
export interface TSneProgress {
  readonly iteration: number;
  readonly iterations: number;
  readonly divergence: number;
}

/** Iterations in which attraction is stronger, so that points find together before clusters part. */
const earlyIterations = 250;
const exaggeration = 12;

/** Iterations between two reports: each computes the divergence. */
const reportEvery = 50;

/** The smallest probability, so that a logarithm has a value. */
const least = 1e-12;

/**
 * Places points (N, D) in the plane so that neighbors stay neighbors: exact t-SNE (van der Maaten and Hinton
 * 2008) with the rate N / 48, at least 50, of Belkina et al. 2019. Yields now and then how far it is, and
 * returns the places, float64 (N, 2). The same seed gives the same places on one machine. Memory and time
 * grow with N^2: 1,000 points take some seconds. TypeError or RangeError for other points, of which there
 * must be more than three times the perplexity.
 */
export function* tSne(points: Tensor, given: TSneOptions = {}): Generator<TSneProgress, Tensor> {
  checkKind("points", points, "a tensor", points instanceof Tensor);
  if (points.shape.length !== 2)
    throw new RangeError(`points must have shape [N, D], not [${points.shape.join(", ")}]`);
  const { perplexity, iterations, seed } = parseOptions("analysis", "t-sne", options, given);
  const count = points.shape[0]!;
  if (count <= 3 * perplexity) {
    throw new RangeError(`points must be more than 3 * perplexity, ${3 * perplexity}, not ${count}`);
  }
  if (scope(() => points.isfinite().all().item()) !== 1)
    throw new RangeError("points must be finite numbers");
  const p = keep(noGrad(() => scope(() => affinities(points.to("float64"), perplexity))));
  const places = keep(scope(() => startOf(count, seed)));
  const velocity = keep(places.zerosLike());
  const gains = keep(ops.ones([count, 2], "float64"));
  const rate = Math.max(50, count / exaggeration / 4);
  let done = false;
  try {
    for (let iteration = 0; iteration < iterations; iteration++) {
      const early = iteration < earlyIterations;
      const divergence = noGrad(() =>
        scope(() => {
          const { gradient, divergence: now } = attraction(p, places, early ? exaggeration : 1);
          // Jacobs 1988, as van der Maaten has it: a coordinate that keeps its direction goes faster.
          const turned = gradient.mul(velocity).gt(0);
          gains.copy_(ops.where(turned, gains.mul(0.8), gains.add(0.2)).clamp(0.01));
          velocity.mul_(early ? 0.5 : 0.8);
          velocity.sub_(gains.mul(gradient), rate);
          places.add_(velocity);
          places.sub_(places.meanDim([0]));
          const reports = iteration % reportEvery === 0 || iteration + 1 === iterations;
          return reports ? now().item() : undefined;
        }),
      );
      if (divergence !== undefined) yield { iteration: iteration + 1, iterations, divergence };
    }
    done = true;
    return places;
  } finally {
    for (const own of [p, velocity, gains, ...(done ? [] : [places])]) own.dispose();
  }
}

/** Places close to each other, normally distributed. */
function startOf(count: number, seed: number): Tensor {
  const noise = { seed: deriveSeed(seed, "t-sne"), draw: 0, imageIds: imageIdRange(0, count) };
  return countedNormal(noise, 0, [2]).to("float64").mul(1e-4);
}

/** Ones, and zeros on the diagonal, float64 (N, N). */
function offDiagonal(count: number): Tensor {
  const index = ops.arange(0, count);
  return index.unsqueeze(1).ne(index.unsqueeze(0)).to("float64");
}

/**
 * Affinity of each pair of points (N, D), (N, N) with sum 1: Gaussian neighborhoods of the
 * perplexity, made symmetric (van der Maaten and Hinton 2008, section 2 and equation 3.1).
 */
export function affinities(points: Tensor, perplexity: number): Tensor {
  const others = offDiagonal(points.shape[0]!);
  const apart = squaredDistances(points, points).mul(others);
  // Relative to the nearest neighbor, or the exponentials of distant points would all be zero.
  const relative = apart.sub(apart.add(others.sub(1), -Number.MAX_VALUE).amin([1], true));
  const wanted = Math.log(perplexity);
  let low = apart.select(1, 0).zerosLike();
  let high = low.fullLike(Number.POSITIVE_INFINITY);
  let beta = low.fullLike(1);
  const neighborhoods = (precision: Tensor) => {
    const weights = relative.mul(precision.neg().unsqueeze(1)).exp().mul(others);
    return weights.div(weights.sumDim([1], true));
  };
  for (let halving = 0; halving < 64; halving++) {
    const rows = neighborhoods(beta);
    const entropy = rows.mul(rows.clamp(least).log()).sumDim([1]).neg();
    const wide = entropy.gt(wanted);
    low = ops.where(wide, beta, low);
    high = ops.where(wide, high, beta);
    beta = ops.where(high.isfinite(), low.add(high).div(2), beta.mul(2));
  }
  const rows = neighborhoods(beta);
  return rows.add(rows.permute([1, 0])).div(2 * points.shape[0]!);
}

/**
 * The gradient of the divergence with respect to places (N, 2), with the affinities `p` times `factor` (van
 * der Maaten and Hinton 2008, equation 5), and a function that computes the divergence, without the factor.
 */
export function attraction(
  p: Tensor,
  places: Tensor,
  factor = 1,
): { gradient: Tensor; divergence: () => Tensor } {
  const kernel = squaredDistances(places, places).add(1).pow(-1).mul(offDiagonal(places.shape[0]!));
  const q = kernel.div(kernel.sum());
  const weights = p.mul(factor).sub(q).mul(kernel);
  const gradient = places
    .mul(weights.sumDim([1], true))
    .sub(weights.matmul(places))
    .mul(4);
  const divergence = () => p.mul(p.clamp(least).log().sub(q.clamp(least).log())).sum();
  return { gradient, divergence };
}

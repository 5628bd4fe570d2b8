import { norms, plainView, Victim } from "../../../../attacks/index.js";
import { deriveSeed } from "../../../../base/index.js";
import { type Batch, partsOfBatch } from "../../../../datasets/index.js";
import { scope, type Tensor } from "../../../../engine/index.js";
import { crossEntropy } from "../../../../nn/index.js";
import { normalQuantile } from "../../difference.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";

/** Draws of a randomized model that a gradient is averaged over: fewer than an attack meets on its way. */
const averaged = 16;

/** Distance of the two points at which gradients are compared, as a share of the radius. */
const apart = 0.1;

/** Mean cosine below which gradients have next to nothing in common: an attack's steps cancel each other. */
const least = 0.1;

/** Images below which no interval of their cosines is trusted: their distribution is skewed. */
const fewest = 10;

/** Mean of cosines with the half width of its 95 % interval over images, by Student's t. */
interface Cosine {
  readonly mean: number;
  readonly error: number;
  readonly images: number;
}

/**
 * Rows of length 1; NaN where a row is zero. The largest element goes first, since squares of tiny ones
 * underflow.
 */
function directions(rows: Tensor): Tensor {
  const scaled = rows.div(rows.abs().amax([1], true));
  return scaled.div(scaled.mul(scaled).sumDim([1], true).sqrt());
}

/**
 * Cosines of each image's gradients at it and beside it, each in other draws; images of zero gradients are
 * left out.
 */
function cosineOf(plan: AuditPlan, sample: Batch, draws: number): Cosine {
  const cosines = partsOfBatch(sample, plan.batchSize).flatMap((part) => cosinesIn(plan, part, draws));
  // NaN where a gradient is zero, which another check counts.
  const found = cosines.filter(Number.isFinite);
  const mean = found.reduce((sum, cosine) => sum + cosine, 0) / found.length;
  const variance = found.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / (found.length - 1);
  return {
    mean,
    error: studentQuantile(found.length - 1) * Math.sqrt(variance / found.length),
    images: found.length,
  };
}

/** Cosine of each of some images that pass together; NaN where a gradient is zero. */
function cosinesIn(plan: AuditPlan, { images, labels, imageIds }: Batch, draws: number): number[] {
  return scope(() => {
    const { players, norm, epsilon, seed } = plan;
    const context = { seed: deriveSeed(seed, "stability"), imageIds, view: { ...plainView, draws } };
    const victim = new Victim(players.model, context, "stability");
    const beside = images
      .add(norms[norm].surface(victim, images.shape.slice(1), apart * epsilon, 0))
      .clamp(0, 1);
    const gradientAt = (points: Tensor) =>
      victim
        .gradient(points, (logits) => crossEntropy(logits, labels))
        .gradient.flatten(1)
        .to("float64");
    const [a, b] = [gradientAt(images), gradientAt(beside)].map(directions);
    return [...a!.mul(b!).sumDim([1]).toNumbers()];
  });
}

/**
 * The 97.5 % quantile of Student's t; off by 0.004 at most from 9 degrees of freedom on (Abramowitz and
 * Stegun 1964, 26.7.5).
 */
function studentQuantile(freedom: number): number {
  const z = normalQuantile(0.025);
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

const cosineText = ({ mean, error, images }: Cosine) =>
  images < fewest ? "unknown" : `${mean.toFixed(2)} +- ${error.toFixed(2)}`;

/** Gradients that change from draw to draw, or from point to point, beyond all likeness lead nowhere. */
export const stableGradients = defineCheck("stable-gradients", {
  question: "Are gradients alike at neighboring points and in other draws?",
  source: "Athalye et al. 2018, section 3, stochastic and shattered gradients",
  group: "gradients",
  judge(plan, { sample }) {
    const { randomized } = plan.players.model;
    const single = cosineOf(plan, sample, 1);
    const judged = randomized ? cosineOf(plan, sample, averaged) : single;
    if (judged.images < fewest)
      return { outcome: "skipped", evidence: `fewer than ${fewest} images have a gradient` };
    const evidence =
      `mean cosine of the gradients at an image and epsilon / 10 beside it ${cosineText(single)}` +
      (randomized ? ` in single draws, ${cosineText(judged)} of means over ${averaged}` : "");
    return { outcome: judged.mean + judged.error < least ? "masked" : "passed", evidence };
  },
});

import { plainView } from "../../../attacks/contract/view.js";
import { norms } from "../../../attacks/geometry/norms.js";
import { Target } from "../../../attacks/index.js";
import { deriveSeed } from "../../../base/index.js";
import type { Batch } from "../../../datasets/index.js";
import { operators as ops, scope, type Tensor } from "../../../engine/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { AuditPlan, Check } from "../check.js";
import { normalQuantile } from "../difference.js";

/** Draws of a randomized network that a gradient is averaged over: fewer than an attack sees on its way. */
const averaged = 16;

/** Distance of the two points that gradients are compared at, as a share of the radius. */
const apart = 0.1;

/** A mean cosine below which gradients have next to nothing in common: an attack's steps cancel each other. */
const least = 0.1;

/** Images below which no interval of their cosines is trusted: their distribution is skewed. */
const fewest = 10;

/** A mean of cosines with the half width of its 95 % interval over images, by Student's t. */
interface Cosine {
  readonly mean: number;
  readonly error: number;
  readonly images: number;
}

/** Cosines of each image's gradients at it and beside it, every gradient of other draws; images whose gradients are zero left out. */
function cosineOf(plan: AuditPlan, { images, labels, imageIds }: Batch, draws: number): Cosine {
  return scope(() => {
    const { subject, norm, epsilon, seed } = plan;
    const context = { seed: deriveSeed(seed, "stability"), imageIds, view: { ...plainView, draws } };
    const target = new Target(subject.model, context, "stability");
    const beside = images.add(norms[norm].surface(target, images.shape.slice(1), apart * epsilon, 0)).clamp(0, 1);
    const gradientAt = (points: Tensor) =>
      target
        .gradient(points, (logits) => crossEntropy(logits, labels))
        .gradient.flatten(1)
        .to("float64");
    const [a, b] = [gradientAt(images), gradientAt(beside)];
    const lengths = [a, b].map((rows) => ops.vectorNorm(rows, 2, [1]));
    const cosines = a.mul(b).sumDim([1]).div(lengths[0]!.mul(lengths[1]!)).toNumbers();
    // 0 / 0 where a gradient is zero, which another line counts.
    const found = [...cosines].filter(Number.isFinite);
    const mean = found.reduce((sum, cosine) => sum + cosine, 0) / found.length;
    const variance = found.reduce((sum, cosine) => sum + (cosine - mean) ** 2, 0) / (found.length - 1);
    return {
      mean,
      error: studentQuantile(found.length - 1) * Math.sqrt(variance / found.length),
      images: found.length,
    };
  });
}

/** The 97.5 % quantile of Student's t; off by 0.004 at most from 9 degrees of freedom on (Abramowitz and Stegun 1964, 26.7.5). */
function studentQuantile(freedom: number): number {
  const z = normalQuantile(0.025);
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

const cosineText = ({ mean, error, images }: Cosine) =>
  images < fewest ? "unknown" : `${mean.toFixed(2)} +- ${error.toFixed(2)}`;

/** Gradients that change from draw to draw, or from point to point, beyond all likeness lead nowhere. */
export const stableGradients: Check = {
  name: "stable-gradients",
  question: "Are gradients alike at neighboring points and in other draws?",
  source: "Athalye et al. 2018, section 3, stochastic and shattered gradients",
  trials: () => [],
  judge(plan, { sample }) {
    const { randomized } = plan.subject.model;
    const single = cosineOf(plan, sample, 1);
    const judged = randomized ? cosineOf(plan, sample, averaged) : single;
    if (judged.images < fewest) return { outcome: "skipped", evidence: `fewer than ${fewest} images have a gradient` };
    const evidence =
      `mean cosine of the gradients at an image and epsilon / 10 beside it ${cosineText(single)}` +
      (randomized ? ` in single draws, ${cosineText(judged)} of means over ${averaged}` : "");
    return { outcome: judged.mean + judged.error < least ? "masked" : "passed", evidence };
  },
};

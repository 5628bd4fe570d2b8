import { norms } from "../../../attacks/geometry/norms.js";
import { Target } from "../../../attacks/index.js";
import { deriveSeed } from "../../../base/index.js";
import type { Batch } from "../../../datasets/index.js";
import { operators as ops, scope } from "../../../engine/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import { wilson } from "../../../trials/interval.js";
import type { AuditPlan, Check } from "../check.js";

/** What the gradients at clean images look like; shares of images, the mean over draws. */
interface Gradients {
  readonly notFinite: boolean;
  /** Images whose gradient is zero in every pixel. */
  readonly zero: number;
  /** Images whose loss does not rise by a small step of steepest ascent in the claim's norm. */
  readonly misleading: number;
}

/** Draws of a randomized network whose gradients are looked at, each by itself as attacks take them. */
const gradientDraws = 4;

/** Draws behind a loss that is compared; the same ones before and after the step. */
const lossDraws = 16;

/** Shares of images above which gradients count as hidden: far above what networks without a defense show. */
const most = { zero: 0.1, misleading: 0.25 } as const;

function lookAt({ subject, norm, epsilon, seed }: AuditPlan, { images, labels, imageIds }: Batch): Gradients {
  return scope(() => {
    const target = new Target(subject.model, { seed: deriveSeed(seed, "gradients"), imageIds }, "gradients");
    const draws = subject.model.randomized ? [gradientDraws, lossDraws] : [1, 1];
    const before = target.meanLoss(images, labels, crossEntropy, draws[1]!);
    const seen = { notFinite: false, zero: 0, misleading: 0 };
    for (let draw = 0; draw < draws[0]!; draw++) {
      scope(() => {
        const { gradient } = target.gradient(images, (logits) => crossEntropy(logits, labels));
        seen.notFinite ||= gradient.isfinite().all().item() === 0;
        seen.zero += ops.vectorNorm(gradient.flatten(1), 2, [1]).eq(0).to("float32").mean().item() / draws[0]!;
        norms[norm].step_(gradient, images);
        const moved = images.add(gradient, epsilon / 10).clamp(0, 1);
        const after = target.meanLoss(moved, labels, crossEntropy, draws[1]!);
        seen.misleading += after.le(before).to("float32").mean().item() / draws[0]!;
      });
    }
    return seen;
  });
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** Gradients that are zero, not finite, or point nowhere make attacks fail without any robustness. */
export const gradients: Check = {
  name: "gradients",
  question: "Are gradients finite, not zero, and do they lead to a higher loss?",
  source: "Athalye et al. 2018, section 3; Pintor et al. 2022, indicator 1",
  trials: () => [],
  judge(plan, { sample }) {
    const seen = lookAt(plan, sample);
    if (seen.notFinite) return { outcome: "masked", evidence: "gradients are NaN or infinite" };
    const images = sample.images.shape[0]!;
    const evidence = `zero for ${percent(seen.zero)} of images; a step of epsilon / 10 does not raise the loss for ${percent(seen.misleading)}`;
    const hidden = (["zero", "misleading"] as const).some((what) => {
      // A mean over draws may be an image's fraction more than all by rounding.
      return wilson(Math.min(images, seen[what] * images), images).low > most[what];
    });
    return { outcome: hidden ? "masked" : "passed", evidence };
  },
};

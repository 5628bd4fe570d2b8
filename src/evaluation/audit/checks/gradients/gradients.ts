import { norms, Victim } from "../../../../attacks/index.js";
import { deriveSeed } from "../../../../base/index.js";
import { type Batch, partsOfBatch } from "../../../../datasets/index.js";
import { scope } from "../../../../engine/index.js";
import { crossEntropy, type Loss } from "../../../../nn/index.js";
import { shareText } from "../../../../report/index.js";
import { wilson } from "../../../../trials/index.js";
import type { AuditPlan } from "../../plan.js";
import { defineCheck } from "../check.js";

/** Faults of the gradients at clean images; shares of images, the mean over draws. */
interface GradientFaults {
  readonly notFinite: boolean;
  /** Images whose gradient is zero in every pixel. */
  readonly zero: number;
  /** Images whose loss does not rise by a small step of steepest ascent in the claim's norm. */
  readonly misleading: number;
}

/** Draws of a randomized model whose gradients are examined, each by itself as attacks take them. */
const gradientDraws = 4;

/** Draws behind a loss that is compared; the same ones before and after the step. */
const lossDraws = 16;

/** Shares of images above which gradients count as hidden: far above those of models without a defense. */
const most = { zero: 0.1, misleading: 0.25 } as const;

/** Cross-entropy in float64: that of tiny or of large logits would not change in float32. */
const exactLoss: Loss = (logits, labels) => crossEntropy(logits.to("float64"), labels);

function faultsOf(plan: AuditPlan, sample: Batch): GradientFaults {
  const faults = { notFinite: false, zero: 0, misleading: 0 };
  for (const part of partsOfBatch(sample, plan.batchSize)) {
    const share = part.images.shape[0]! / sample.images.shape[0]!;
    const found = faultsIn(plan, part);
    faults.notFinite ||= found.notFinite;
    faults.zero += share * found.zero;
    faults.misleading += share * found.misleading;
  }
  return faults;
}

/** Faults in images that pass together. */
function faultsIn(
  { players, norm, epsilon, seed }: AuditPlan,
  { images, labels, imageIds }: Batch,
): GradientFaults {
  return scope(() => {
    const { model } = players;
    const victim = new Victim(model, { seed: deriveSeed(seed, "gradients"), imageIds }, "gradients");
    const draws = model.randomized ? [gradientDraws, lossDraws] : [1, 1];
    const before = victim.meanLoss(images, labels, exactLoss, draws[1]!);
    const faults = { notFinite: false, zero: 0, misleading: 0 };
    for (let draw = 0; draw < draws[0]!; draw++) {
      scope(() => {
        const { gradient } = victim.gradient(images, (logits) => crossEntropy(logits, labels));
        faults.notFinite ||= gradient.isfinite().all().item() === 0;
        faults.zero += gradient.flatten(1).abs().amax([1]).eq(0).to("float32").mean().item() / draws[0]!;
        norms[norm].step_(gradient, images);
        const moved = images.add(gradient, epsilon / 10).clamp(0, 1);
        const after = victim.meanLoss(moved, labels, exactLoss, draws[1]!);
        faults.misleading += after.le(before).to("float32").mean().item() / draws[0]!;
      });
    }
    return faults;
  });
}

/** Gradients that are zero, not finite, or point nowhere make attacks fail without any robustness. */
export const gradients = defineCheck("gradients", {
  question: "Are gradients finite, not zero, and do they lead to a higher loss?",
  source: "Athalye et al. 2018, section 3; Pintor et al. 2022, indicator 1",
  group: "gradients",
  judge(plan, { sample }) {
    const faults = faultsOf(plan, sample);
    if (faults.notFinite) return { outcome: "masked", evidence: "gradients are NaN or infinite" };
    const images = sample.images.shape[0]!;
    const evidence =
      `zero for ${shareText(faults.zero, 0)} of images; a step of epsilon / 10 does not raise the loss ` +
      `for ${shareText(faults.misleading, 0)}`;
    const hidden = (["zero", "misleading"] as const).some((what) => {
      // A mean over draws may be an image's fraction more than all by rounding.
      return wilson(Math.min(images, faults[what] * images), images).low > most[what];
    });
    return { outcome: hidden ? "masked" : "passed", evidence };
  },
});

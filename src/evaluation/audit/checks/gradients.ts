import { norms } from "../../../attacks/geometry/norms.js";
import { Target } from "../../../attacks/index.js";
import type { Batch } from "../../../datasets/index.js";
import { deriveSeed, operators as ops, scope, type Tensor } from "../../../engine/index.js";
import { crossEntropy } from "../../../nn/losses.js";
import type { AuditPlan, Check } from "../check.js";

/** What the gradients at clean images look like; all shares of images. */
interface Gradients {
  readonly notFinite: boolean;
  /** Images whose gradient is zero in every pixel. */
  readonly zero: number;
  /** Images whose loss does not rise by a small step of steepest ascent in the claim's norm. */
  readonly misleading: number;
  /** Mean cosine of the gradients of two draws. */
  readonly agreement: number;
}

/** Draws behind a loss that is compared. */
const lossDraws = 32;

function lookAt({ subject, norm, epsilon, seed }: AuditPlan, { images, labels, imageIds }: Batch): Gradients {
  return scope(() => {
    const context = { seed: deriveSeed(seed, "gradients"), imageIds };
    const target = new Target(subject.model, context, "gradients");
    const gradientOf = () => target.gradient(images, (logits) => crossEntropy(logits, labels)).gradient.flatten(1);
    const [first, second] = [gradientOf(), gradientOf()];
    const lengths = (rows: Tensor) => ops.vectorNorm(rows, 2, [1]);
    const share = (which: Tensor) => which.to("float32").mean().item();
    const cosine = first
      .mul(second)
      .sumDim([1])
      .div(lengths(first).mul(lengths(second)).clamp(1e-30));
    const ascent = first.reshape(images.shape).clone();
    norms[norm].step_(ascent, images);
    const moved = images.add(ascent, epsilon / 10).clamp(0, 1);
    const losses = [images, moved].map((shown) => target.meanLoss(shown, labels, crossEntropy, lossDraws));
    return {
      notFinite: first.isfinite().all().item() === 0,
      zero: share(lengths(first).eq(0)),
      misleading: share(losses[1]!.le(losses[0]!)),
      agreement: cosine.mean().item(),
    };
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
    const evidence =
      `zero for ${percent(seen.zero)} of images; a step of epsilon / 10 does not raise the loss for ${percent(seen.misleading)}` +
      (plan.subject.model.randomized ? `; mean cosine of two draws' gradients ${seen.agreement.toFixed(2)}` : "");
    if (seen.notFinite) return { outcome: "masked", evidence: "gradients are NaN or infinite" };
    return { outcome: seen.zero > 0.1 || seen.misleading > 0.25 ? "masked" : "passed", evidence };
  },
};

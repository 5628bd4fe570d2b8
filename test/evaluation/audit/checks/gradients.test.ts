import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../../../src/base/index.js";
import {
  countedNormal,
  countedUniform,
  imageIdRange,
  type Noise,
  type Tensor,
} from "../../../../src/engine/index.js";
import { gradients, stableGradients } from "../../../../src/evaluation/audit/checks/all.js";
import type { Check } from "../../../../src/evaluation/audit/checks/index.js";
import type { Classifier } from "../../../../src/nn/index.js";
import { judge } from "../judged.js";
import { linearModel, planOf } from "../tiny-audit.js";

/** 100 images of a linear model, of whose gradients a number are changed: those of the first images. */
function lookingAt(
  check: Check,
  changed: number,
  hide: (images: Tensor, noise: Noise) => Tensor,
  randomized = false,
  scale = 1,
) {
  const shape = [1, 4, 4] as const;
  const linear = linearModel(shape, 3);
  const base: Classifier = { ...linear, logits: (shown, noise) => linear.logits(shown, noise).mul(scale) };
  const imageIds = imageIdRange(0, 100);
  const images = countedUniform({ seed: deriveSeed(0, "looked at"), draw: 0, imageIds }, 0, shape)
    .mul(0.5)
    .add(0.25);
  const model: Classifier = {
    ...base,
    randomized,
    logits(shown, noise) {
      const mask = noise.imageIds.to("float32").lt(changed).to("float32").reshape([-1, 1, 1, 1]);
      const hidden = hide(shown, noise).mul(mask);
      return base.logits(hidden.add(shown.mul(mask.neg().add(1))), noise);
    },
  };
  const labels = base.logits(images, { seed: deriveSeed(0, "labels"), draw: 0, imageIds }).argmax(1);
  return judge(check, [], { plan: planOf(model), sample: { images, labels, imageIds } });
}

describe("gradients", () => {
  const flat = (images: Tensor) => images.detach();
  /** The same value, and the gradient the other way. */
  const reversed = (images: Tensor) => images.detach().mul(2).sub(images);

  it("masks where the interval of images without a gradient lies above a tenth", () => {
    expect(lookingAt(gradients(), 10, flat).outcome).toBe("passed");
    expect(lookingAt(gradients(), 20, flat).outcome).toBe("masked");
  });

  it("masks where that of images whose gradient leads downhill lies above a quarter", () => {
    expect(lookingAt(gradients(), 25, reversed)).toEqual({
      outcome: "passed",
      evidence: "zero for 0 % of images; a step of epsilon / 10 does not raise the loss for 25 %",
    });
    expect(lookingAt(gradients(), 40, reversed).outcome).toBe("masked");
  });

  it("sees the loss rise however small or confident the logits are", () => {
    const open = (images: Tensor) => images;
    const evidence = "zero for 0 % of images; a step of epsilon / 10 does not raise the loss for 0 %";
    for (const scale of [1e-10, 1, 8])
      expect(lookingAt(gradients(), 0, open, false, scale)).toEqual({ outcome: "passed", evidence });
    expect(lookingAt(gradients(), 0, open, false, 1e4).outcome).toBe("masked");
  });
});

describe("stable-gradients", () => {
  /** The same value, and a gradient that each draw multiplies, pixel by pixel, by normal noise. */
  const scattered = (images: Tensor, noise: Noise) => {
    const factors = countedNormal(noise, 2 ** 20, images.shape.slice(1));
    return images.detach().add(images.sub(images.detach()).mul(factors));
  };

  it("masks where gradients of other draws have nothing in common", () => {
    expect(lookingAt(stableGradients(), 100, scattered, true).outcome).toBe("masked");
    expect(lookingAt(stableGradients(), 0, scattered, true).outcome).toBe("passed");
    expect(lookingAt(stableGradients(), 50, scattered, true).outcome).toBe("passed");
  });

  it("says nothing of fewer than 10 images with a gradient", () => {
    expect(lookingAt(stableGradients(), 91, (images) => images.detach())).toEqual({
      outcome: "skipped",
      evidence: "fewer than 10 images have a gradient",
    });
    expect(lookingAt(stableGradients(), 90, (images) => images.detach()).outcome).toBe("passed");
  });
});

import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { Module, type OnnxEdge, type OnnxSketch, type Pass } from "../nn/index.js";
import { defineDefense } from "./defense.js";
import { denoiserPart } from "./denoiser/denoiser-part.js";
import type { UNet } from "./denoiser/u-net.js";
import { partSha256, readPart } from "./stored-part.js";

/** Denoiser before the model, outside of training. */
class Denoised extends Module {
  constructor(readonly denoiser: UNet) {
    super();
  }

  override get differsInTraining(): boolean {
    return true;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    return pass.training || pass.purified === false ? input : this.denoiser.apply(input, pass);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return this.denoiser.toOnnx(input, sketch);
  }
}

/**
 * High-level representation guided denoiser (Liao et al. 2018): a U-Net before the model takes out what an
 * attack on the model added, so that the logits are those of the clean image. `sqa denoiser` trains it for a
 * trained model, whose weights stay as they are.
 *
 * Athalye and Carlini (2018) left 0 % by PGD through the denoiser.
 *
 * @example
 * guidedDenoiser({ denoiser: "runs/denoiser-mnist-seed0-0a1b2c3d" })
 */
export const guidedDenoiser = defineDefense("guided-denoiser", {
  summary: "guided denoiser: a U-Net that takes out what an attack on the model added",
  options: z.strictObject({
    denoiser: z
      .string()
      .optional()
      .describe("folder or file of the denoiser, which `sqa denoiser` trains; it must be given"),
  }),
  create: ({ denoiser }) => ({
    randomized: false,
    advice: "attack through the denoiser, which is differentiable",
    apply({ name, inputShape: [channels], module }) {
      if (denoiser === undefined)
        throw new RangeError("guided-denoiser needs a denoiser: give denoiser=FOLDER of sqa denoiser");
      const { sizes, module: network } = readPart(denoiser, denoiserPart);
      if (sizes.channels !== channels) {
        throw new RangeError(
          `model ${name}: takes images of ${channels} channels, and denoiser ${denoiser} of ` +
            `${sizes.channels}: train one for this model`,
        );
      }
      module.inputTransforms.unshift(new Denoised(network));
    },
    fileSha256: () => partSha256(denoiser),
    surrogates: (model) => ({ unpurified: model.classifier({ purified: false }) }),
  }),
});

import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { Module, type Pass } from "../nn/index.js";
import { grayLevels, ratio } from "../options/index.js";
import { defineDefense } from "./defense.js";
import { densityPart } from "./density/density-part.js";
import { highestLevel } from "./density/logistic-mixture.js";
import type { PixelCnn } from "./density/pixel-cnn.js";
import { purified } from "./density/purify.js";
import { partSha256, readPart } from "./stored-part.js";

/**
 * Purification of images before the model, outside of training. It has no gradient of its own;
 * straight-through is the identity's, by which Athalye et al. (2018) broke it.
 */
class Purifier extends Module {
  constructor(
    readonly density: PixelCnn,
    readonly radius: number,
    readonly straightThrough: boolean,
  ) {
    super();
  }

  override get differsInTraining(): boolean {
    return true;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    if (pass.training || pass.purified === false) return input;
    // The difference is zero. Times zero it leaves a gradient of zeros, as that of an arg-max is.
    const passed = input.sub(input.detach());
    const isOpen = this.straightThrough || pass.quantizerGradient !== undefined;
    return purified(this.density, input, this.radius, pass).add(isOpen ? passed : passed.mul(0));
  }
}

/**
 * PixelDefend (Song et al. 2018, Algorithm 1): images are brought to where a density model of the training
 * images is high, pixel after pixel, within a radius. `sqa density` trains the density model. The classifier
 * is trained without it, as published.
 *
 * Athalye et al. (2018) left 9 % on CIFAR-10 by the identity's gradient.
 *
 * @example
 * pixelDefend({ density: "runs/density-mnist-seed0-0a1b2c3d", epsilon: 32 / 255 })
 */
// paper: its adaptive form leaves images alone whose density is high already.
export const pixelDefend = defineDefense("pixel-defend", {
  summary: "PixelDefend: purifies images by a density model, pixel after pixel",
  options: z.strictObject({
    density: z
      .string()
      .optional()
      .describe("folder or file of the density model, which `sqa density` trains; it must be given"),
    epsilon: ratio({ min: 0, max: 1 })
      .default(16 / 255)
      .describe("largest change of a pixel")
      .meta({ hint: grayLevels }),
    gradient: z
      .enum(["straight-through", "none"])
      .default("straight-through")
      .describe("gradient of purification: the identity's, or its own, which is zero"),
  }),
  create: ({ density, epsilon, gradient }) => ({
    randomized: false,
    noOnnx:
      "searches pixel after pixel, with a pass of its density model for each; write the model without it: " +
      "give --defense none, or its other defenses alone (in code: modelFromRun(run, { defenses: [] }))",
    advice: "take the identity's gradient at the purified image, since purification has none",
    apply({ name, inputShape: [channels], module }) {
      if (density === undefined)
        throw new RangeError("pixel-defend needs a density model: give density=FOLDER of sqa density");
      const { sizes, module: model } = readPart(density, densityPart);
      if (sizes.channels !== channels) {
        throw new RangeError(
          `model ${name}: takes images of ${channels} channels, and density model ${density} of ` +
            `${sizes.channels}: train one on its images`,
        );
      }
      // Whole levels, no more than asked for; a product such as 15.999999999999998 is a whole one.
      const radius = Math.floor(epsilon * highestLevel + 1e-6);
      module.inputTransforms.unshift(new Purifier(model, radius, gradient === "straight-through"));
    },
    fileSha256: () => partSha256(density),
    surrogates: (model) => ({
      "straight-through": model.classifier({ quantizerGradient: "straight-through" }),
      unpurified: model.classifier({ purified: false }),
    }),
  }),
});

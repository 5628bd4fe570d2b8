import * as z from "zod";
import { labelsFrom, labelsOption, linfRadius, Victim } from "../../attacks/index.js";
import { deriveSeed, wordStream } from "../../base/index.js";
import { signStep } from "../../engine/index.js";
import { crossEntropy } from "../../nn/index.js";
import { defineMethod, type MethodWork } from "./method.js";

const name = "ensemble-adversarial";

/**
 * Ensemble adversarial training (Tramer et al. 2018, section 3.4): a step's FGSM examples are made on one of
 * several models, drawn by the step: trained ones that stay as they are, or the model in training. Half of
 * the loss is that of the clean images, where nothing else is asked for.
 */
export const ensembleAdversarial = defineMethod(name, {
  summary: "FGSM examples of trained models, or of the model itself, drawn by the step (Tramer et al.)",
  options: z.strictObject({
    epsilon: linfRadius(0.3),
    sources: z
      .array(z.string().min(1))
      .min(1)
      .max(32)
      .describe("trained models of the same images and classes: run folders, or .pt2 and .onnx files"),
    labels: labelsOption,
  }),
  create: ({ epsilon, sources: paths, labels: choice }): MethodWork => ({
    epsilon,
    sources: paths,
    cleanWeight: 0.5,
    // The source is another at each step, so no graph of one step can be replayed for the next.
    readsBack: true,
    perturb(victim, images, labels, stepScale = 1, sources = []) {
      if (sources.length !== paths.length)
        throw new Error(`method ${name} needs its ${paths.length} sources opened, given ${sources.length}`);
      const { context } = victim;
      const word = wordStream(deriveSeed(context.seed, name, "source"))();
      const source = sources[Math.floor((word / 2 ** 32) * (paths.length + 1))];
      const attacked = source === undefined ? victim : new Victim(source, context, name);
      const avoided = labelsFrom(choice, attacked, images, labels);
      const { gradient } = attacked.gradient(images, (logits) => crossEntropy(logits, avoided));
      return signStep(images, gradient, epsilon * stepScale);
    },
  }),
});

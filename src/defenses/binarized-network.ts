import * as z from "zod";
import type { Tensor } from "../engine/index.js";
import { Module, type OnnxEdge, type OnnxSketch } from "../nn/index.js";
import { defineDefense } from "./defense.js";
import { reluLayers } from "./layer-names.js";
import { binarizeWeights, binary, clipBinaryWeights } from "./quantization/binary.js";

/** Added to signs, which a ReLU then passes on with their gradients. */
const lift = 2;

/**
 * Sign of an activation, +1 where x >= 0, else -1, in the place of a ReLU (Hubara et al. 2016, equation 1).
 * The gradient is that of the hard tanh, 1 where |x| <= 1 (equation 4).
 *
 * It stands before the ReLU, lifted above 0, and `Lowered` behind it takes the lift away.
 */
class LiftedSign extends Module {
  protected override forward(input: Tensor): Tensor {
    const signs = input.detach().ge(0).to(input.dtype).mul(2).sub(1);
    const smooth = input.clamp(-1, 1);
    // Both differences are zero, or NaN where an activation is.
    return signs.add(lift).add(smooth.sub(smooth.detach()));
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const isPlus = sketch.node("GreaterOrEqual", [input, sketch.constant(0)]);
    return sketch.node("Where", [isPlus, sketch.constant(lift + 1), sketch.constant(lift - 1)]);
  }
}

/** Takes the lift of `LiftedSign` away. */
class Lowered extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.sub(lift);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.node("Sub", [input, sketch.constant(lift)]);
  }
}

/**
 * Binarized network (Galloway et al. 2018, after Hubara et al. 2016): weights of +1 and -1, by the paper's
 * equations 6 and 7, and signs in the place of every ReLU.
 *
 * Galloway found that part of what its stochastic form kept was masked gradients. Its noise-free model has
 * signs as activations, and real weights clipped to [-1, 1].
 *
 * @example
 * binarizedNetwork({ stochastic: true })
 */
export const binarizedNetwork = defineDefense("binarized-network", {
  summary: "weights and activations of +1 and -1: a binarized network",
  options: z.strictObject({
    weights: z
      .string()
      .default("**")
      .describe("layers whose weights are binarized: a name, or a pattern with *"),
    activations: z
      .string()
      .default("**")
      .describe("ReLU layers that signs replace: a name, or a pattern with *"),
    stochastic: z.boolean().default(false).describe("draw each weight, +1 with probability (w + 1) / 2"),
  }),
  create: ({ weights, activations, stochastic }) => ({
    randomized: stochastic,
    advice: "scale the logits down, and attack the real weights, clipped to [-1, 1], as well",
    apply({ module }) {
      const layers = reluLayers(module, activations);
      const mode = stochastic ? "stochastic" : "deterministic";
      binarizeWeights(module, { [weights]: binary({ mode }) });
      for (const layer of layers) {
        layer.inputTransforms.push(new LiftedSign());
        layer.outputTransforms.unshift(new Lowered());
      }
    },
    surrogates: (model) => ({ "noise-free": model.classifier({ noiseFree: true }) }),
    afterUpdate: (model) => clipBinaryWeights(model.module),
  }),
});

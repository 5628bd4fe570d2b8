import * as z from "zod";
import { keep, operators as ops, scope, type Tensor } from "../engine/index.js";
import type { Model } from "../models/index.js";
import {
  Conv2d,
  Module,
  Normalize,
  type OnnxEdge,
  type OnnxSketch,
  type Pass,
  WeightedLayer,
} from "../nn/index.js";
import { defineDefense } from "./defense.js";

/** Keeps white pixels in the highest level. */
const belowOne = 0.99999;

/**
 * Thermometer code of pixels (Buckman et al. 2018, section 2.2, equation 3): (N, C, H, W) in [0, 1] to
 * (N, C * levels, H, W), where channel c * levels + i is 1 if the pixel's level is i or above, else 0.
 *
 * Weights of levels in the place of pixels, (N, C * levels, H, W), become a relaxed code: channel i is the
 * sum of the weights of level i and above.
 *
 * The code has no gradient of its own. Straight-through is that of the ramp min(max(levels * x - i, 0), 1),
 * by which Athalye et al. (2018, section 5.2.1) broke it.
 */
class ThermometerCode extends Module {
  constructor(
    readonly channels: number,
    readonly levels: number,
    readonly straightThrough: boolean,
  ) {
    super();
  }

  protected override forward(input: Tensor, { quantizerGradient }: Pass): Tensor {
    const [images, channels, ...sides] = input.shape as [number, number, number, number];
    if (channels === this.channels * this.levels) return this.#relaxed(input);
    const shape = [images, channels * this.levels, ...sides];
    const steps = ops.arange(0, this.levels, 1, "float32", input.device).reshape([this.levels, 1, 1]);
    const pixels = input.unsqueeze(2);
    const heights = pixels
      .detach()
      .clamp(0, 1)
      .mul(belowOne * this.levels);
    const code = heights.ge(steps).to("float32");
    const ramp = pixels.mul(this.levels).sub(steps).clamp(0, 1);
    // The difference is zero. Times zero it leaves a gradient of zeros, as that of a step is.
    const passed = ramp.sub(ramp.detach());
    const isOpen = this.straightThrough || quantizerGradient !== undefined;
    return code.add(isOpen ? passed : passed.mul(0)).reshape(shape);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const [, height, width] = input.shape as [number, number, number];
    const channels = this.channels * this.levels;
    const steps = sketch.constant([...Array(this.levels).keys()], [this.levels, 1, 1]);
    const inside = sketch.node("Clip", [input, sketch.constant(0), sketch.constant(1)]);
    const heights = sketch.node("Mul", [inside, sketch.constant(belowOne * this.levels)]);
    const apart = sketch.node("Unsqueeze", [heights, sketch.whole([2])]);
    const code = sketch.cast(sketch.node("GreaterOrEqual", [apart, steps]), "float32");
    const shape = [channels, height, width];
    return sketch.node("Reshape", [code, sketch.whole([0, ...shape])], {}, shape);
  }

  /** Relaxed code of weights of levels. */
  #relaxed(weights: Tensor): Tensor {
    const [images, , ...sides] = weights.shape as [number, number, number, number];
    const levels = weights.reshape([images, this.channels, this.levels, ...sides]);
    return levels.flip([2]).cumsum(2).flip([2]).reshape(weights.shape);
  }
}

/**
 * The first convolution, which takes an image's channels. RangeError for a model that begins with something
 * else.
 */
function firstConvolution({ module, name, inputShape: [channels] }: Model): Conv2d {
  const first = module.namedModules().find(([, layer]) => layer instanceof WeightedLayer);
  const [layerName, layer] = first ?? ["", undefined];
  if (layer instanceof Conv2d && layer.groups === 1 && layer.weight.shape[1] === channels) return layer;
  const found = first === undefined ? "no layer with weights" : `"${layerName}"`;
  throw new RangeError(
    `model ${name}: thermometer needs a convolution of ${channels} channels as the first layer, ` +
      `found ${found}`,
  );
}

/**
 * Gives a convolution a weight for each level. All levels begin with an equal share of the weight, so that
 * the model begins as what it was, on pixels rounded to levels.
 */
function widen(layer: Conv2d, levels: number): void {
  const { weight } = layer;
  const wide = scope(() => {
    const [filters, channels, ...sides] = weight.shape as [number, number, number, number];
    const shares = weight
      .detach()
      .div(levels)
      .unsqueeze(2)
      .expand([filters, channels, levels, ...sides]);
    return keep(shares.reshape([filters, channels * levels, ...sides]).contiguous("channelsLast"));
  });
  Object.assign(layer, { weight: wide.requireGrad() });
  weight.dispose();
}

/**
 * Thermometer encoding (Buckman et al. 2018): every pixel becomes a row of bits, as a thermometer shows a
 * temperature. The first convolution takes `levels` times the channels, and the normalization of images goes.
 *
 * `ls-pga` attacks the weights of levels, and is what its paper trains on. Other attacks go through the
 * straight-through gradient. With `gradient=none` they meet the code's own gradient, which is zero
 * everywhere: as published.
 *
 * @example
 * thermometer({ levels: 10 })
 */
export const thermometer = defineDefense("thermometer", {
  summary: "thermometer encoding: every pixel as a row of bits",
  options: z.strictObject({
    levels: z.int().min(2).max(256).default(16).describe("levels of a pixel"),
    gradient: z
      .enum(["straight-through", "none"])
      .default("straight-through")
      .describe("gradient of the code: that of a ramp through its levels, or its own, which is zero"),
  }),
  create: ({ levels, gradient }) => ({
    randomized: false,
    advice: "take gradients through the code straight-through, since its own are zero",
    apply(model) {
      const [channels] = model.inputShape;
      widen(firstConvolution(model), levels);
      const { inputTransforms } = model.module;
      const place = inputTransforms.findIndex((transform) => transform instanceof Normalize);
      const code = new ThermometerCode(channels, levels, gradient === "straight-through");
      if (place < 0) inputTransforms.push(code);
      else inputTransforms.splice(place, 1, code);
    },
    // Behind another transform, weights of levels would be transformed as pixels are.
    levels: ({ module: { inputTransforms } }) =>
      inputTransforms[0] instanceof ThermometerCode ? { count: levels, scale: belowOne * levels } : undefined,
    surrogates: (model) => ({
      "straight-through": model.classifier({ quantizerGradient: "straight-through" }),
    }),
  }),
});

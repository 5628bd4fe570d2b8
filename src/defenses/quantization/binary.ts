import * as z from "zod";
import { countedUniform, noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import {
  type Module,
  type OnnxSketch,
  type Pass,
  WeightedLayer,
  type WeightTransform,
} from "../../nn/index.js";
import { parseOptions } from "../../options/index.js";
import { checkNetwork, layersOf, someNames } from "../layer-names.js";

/** Options of binary weights; see `binary`. */
export const binaryWeightOptions = z.strictObject({
  mode: z
    .enum(["deterministic", "stochastic"])
    .default("deterministic")
    .describe("the sign, or a draw around it"),
});

/** A weight transform that this file made. */
interface BinaryWeights extends WeightTransform {
  readonly mode: "deterministic" | "stochastic";
}

/** Binary weights yet to be given to a layer: made for the stream that its place has. */
export type BinaryFactory = (stream: number) => WeightTransform;

/** The noise of weights lies beside that of quantizers, whose streams count from 0. */
const firstStream = 2 ** 30;

function signs(weight: Tensor, mode: BinaryWeights["mode"], pass: Pass, stream: number): Tensor {
  if (mode === "deterministic") return weight.ge(0).to(weight.dtype).mul(2).sub(1);
  // One draw of the weights serves every image of a pass, so image id 0 stands for all.
  const noise = { ...pass.noise, imageIds: ops.zeros([1], "int64", weight.device) };
  const uniforms = countedUniform(noise, stream, weight.shape).select(0, 0);
  const chance = weight.add(1).div(2).clamp(0, 1);
  return uniforms.lt(chance).to(weight.dtype).mul(2).sub(1);
}

/** Adds the drawing of signs to a graph in ONNX's operators: once a run of it, for all of its images. */
function drawnSigns(weight: string, shape: readonly number[], sketch: OnnxSketch): string {
  const node = (operator: string, ...inputs: string[]) => sketch.node(operator, inputs, {}, shape).name;
  const [zero, one, half] = [0, 1, 0.5].map((value) => sketch.constant(value));
  const middle = node("Add", weight, one!);
  const chance = node("Clip", node("Mul", middle, half!), zero!, one!);
  const isPlus = node("Less", node("RandomUniformLike", weight), chance);
  return node("Where", isPlus, one!, sketch.constant(-1));
}

/**
 * Binary weights for `binarizeWeights` (Yoon, Park and Kim, equations 6 and 7, after Courbariaux et al.
 * 2015): deterministic: +1 where w >= 0, else -1; stochastic: +1 with probability clip((w + 1) / 2, 0, 1),
 * else -1, drawn by the pass's noise seed and draw. The gradient is straight-through: dL/dw = dL/dw_b. A NaN
 * weight stays NaN.
 *
 * With quantization off the weight is clip(w, -1, 1), which is the mean of stochastic binary weights.
 */
// paper: says neither whether the gradient is cut off where |w| > 1 nor whether real weights are clipped. As
// in BinaryConnect the gradient passes everywhere, and `clipBinaryWeights` after each update keeps the
// weights in [-1, 1].
export function binary(options: z.input<typeof binaryWeightOptions> = {}): BinaryFactory {
  const { mode } = parseOptions("weights", "binary", binaryWeightOptions, options);
  return (stream) => {
    const transform = (weight: Tensor, pass: Pass): Tensor => {
      if (pass.noiseFree) return weight.clamp(-1, 1);
      const binary = noGrad(() => signs(weight, mode, pass, stream));
      return binary.add(weight.sub(weight.detach()));
    };
    const randomized = mode === "stochastic";
    return Object.assign(transform, { mode, randomized, onnx: drawnSigns }) satisfies BinaryWeights;
  };
}

function weightedLayers(network: Module): [string, WeightedLayer][] {
  checkNetwork(network);
  return network
    .namedModules()
    .filter((entry): entry is [string, WeightedLayer] => entry[1] instanceof WeightedLayer);
}

/**
 * Gives layers of any network binary weights.
 *
 * Names are those of layers with weights, or patterns with `*`, as for `placeAfter`. Throws a RangeError that
 * lists the layers when a name matches none; then nothing is changed. Returns the network, whose parameters
 * stay real.
 *
 * @example
 * binarizeWeights(network, { "conv*": binary({ mode: "stochastic" }) })
 */
export function binarizeWeights<M extends Module>(
  network: M,
  placement: Readonly<Record<string, BinaryFactory>>,
): M {
  const layers = weightedLayers(network);
  const names = layers.map(([name]) => name);
  if (names.length === 0) {
    const known = network.namedModules().map(([name]) => name);
    throw new RangeError(
      "the model has no layer whose weights could be binary: these must be modules such as Conv2d and " +
        `Linear in its fields, of which an exported graph has none; it has ${someNames(known)}`,
    );
  }
  const transforms = layersOf(placement, names).map(([name, make]) => {
    const index = names.indexOf(name);
    return [layers[index]![1], make(firstStream + index)] as const;
  });
  for (const [layer, transform] of transforms) layer.weightTransform = transform;
  return network;
}

/** Clips the real weights under binary ones to [-1, 1] in place: BinaryConnect's last step of an update. */
export function clipBinaryWeights(network: Module): void {
  scope(() => {
    for (const [, layer] of weightedLayers(network)) {
      if (layer.weightTransform && "mode" in layer.weightTransform) layer.weight.detach().clamp_(-1, 1);
    }
  });
}

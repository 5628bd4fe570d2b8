import { deriveSeed } from "../../base/index.js";
import { imageIdRange, noGrad, scope, type Tensor, tensor } from "../../engine/index.js";
import type { ChannelStatistics, ImageShape } from "../model.js";
import { collect } from "./flow.js";
import type { Graph, GraphNode } from "./graph.js";
import { GraphModule } from "./graph-module.js";

/** Most operators that are followed from the images on. */
const mostSteps = 16;

/** Operators of ONNX that pixels pass through as they are. */
export const passingOfOnnx: readonly string[] = [
  "Identity",
  "Cast",
  "Transpose",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Resize",
  "Pad",
  "Slice",
];

/** Operators that pixels pass through as they are, ONNX's and ATen's. */
const passing = new Set([
  ...passingOfOnnx,
  ...["aten.clone", "aten.to", "aten._to_copy", "aten.contiguous", "aten.alias", "aten.detach", "aten.pad"],
  ...["aten.permute", "aten.view", "aten.reshape", "aten.lift_fresh_copy"],
]);

/** Arithmetic with constants, by the names of both formats. */
const arithmetic = /^(?:aten\.)?(sub|div|mul|add)_?$/i;

/** Operator as arithmetic with constants: sub, div, mul, add or norm; undefined for any other. */
function stepOf({ operator, form }: GraphNode): string | undefined {
  const isNorm = form?.kind === "normalization" || operator === "BatchNormalization";
  return isNorm ? "norm" : arithmetic.exec(operator)?.[1]?.toLowerCase();
}

/** Names of the values that no image changes: weights, and what is made of them alone. */
function constantsOf({ weights, nodes }: Graph): ReadonlySet<string> {
  const constants = new Set(weights.flatMap(({ values }) => values));
  return collect(
    nodes,
    constants,
    ({ inputs, random }) => random !== true && inputs.every((value) => constants.has(value)),
  );
}

/** Operators by which a graph normalizes its images, and the name of the value that they end in. */
export interface NormalizingPart {
  readonly operators: readonly string[];
  readonly output: string;
}

/**
 * The part of a graph that normalizes its images: its first operators, where they subtract, divide or
 * normalize by constants. Undefined where it takes pixels as they are, or scales them alone.
 */
export function normalizingPart(graph: Graph): NormalizingPart | undefined {
  const { input, nodes } = graph;
  const constants = constantsOf(graph);
  let output = input;
  const found = new Map<string, string>();
  let name: string | undefined = input;
  for (let i = 0; i < mostSteps && name !== undefined; i++) {
    const [node, ...others]: readonly GraphNode[] = nodes.filter(({ inputs }) => inputs.includes(name!));
    if (node === undefined || others.length > 0) break;
    const isAlone = node.inputs.every((value) => value === name || constants.has(value));
    const step = isAlone ? stepOf(node) : undefined;
    if (step === undefined && !passing.has(node.operator)) break;
    name = node.outputs[0] ?? undefined;
    if (step === undefined || name === undefined) continue;
    found.set(step, node.operator);
    output = name;
  }
  // A reader's own factor for pixels of 0 to 255, and the model's that takes it back, are no normalization.
  const isScaled = found.has("mul") && !found.has("add");
  const shifts = found.has("sub") || found.has("norm") || (found.has("add") && found.size > 1);
  const normalizes = shifts || (found.has("div") && !isScaled);
  return normalizes ? { operators: [...found.values()], output } : undefined;
}

/** The nodes and weights of a graph that a value is made of. */
function upTo({ nodes, weights, ...form }: Graph, output: string): Graph {
  const read = new Set([output]);
  const needed = [...nodes].reverse().filter(({ inputs, outputs }) => {
    const isNeeded = outputs.some((name) => name !== null && read.has(name));
    if (isNeeded) for (const name of inputs) read.add(name);
    return isNeeded;
  });
  return {
    ...form,
    output,
    nodes: needed.reverse(),
    weights: weights.filter(({ values }) => values.some((name) => read.has(name))),
  };
}

/** Most channels of images for which a mean and a deviation are looked for. */
const mostChannels = 16;

/** By the type that a graph computes in: what rounding explains, as a share, and digits that are told. */
const precisions = {
  float64: { rounding: 1e-4, digits: 6 },
  float32: { rounding: 1e-4, digits: 6 },
  float16: { rounding: 2e-3, digits: 3 },
  bfloat16: { rounding: 1.6e-2, digits: 2 },
} as const;

/**
 * Mean and standard deviation that a graph normalizes each channel by, found by what its first part makes of
 * images of one channel each: of whatever operators, layout and order of channels. Undefined where that is no
 * multiple of each channel's pixels and a constant, and where the part alone does not run.
 */
export function normalizationBy(
  graph: Graph,
  { output }: NormalizingPart,
  inputShape: ImageShape,
): ChannelStatistics | undefined {
  const [channels, height, width] = inputShape;
  if (channels > mostChannels) return undefined;
  const { rounding, digits } = precisions[graph.imageType];
  const images = () => channelImages(channels, height * width, inputShape);
  const rows = rowsBy(upTo(graph, output), images);
  if (rows === undefined) return undefined;
  const lines = Array.from({ length: channels }, (_, c) =>
    channelBy(rows[0]!, rows[1 + c]!, rows[1 + channels + c]!, rounding),
  ).filter((line) => line !== undefined);
  const ofOneChannel = lines.reduce((sum, { size }) => sum + size, 0);
  const ofAnyChannel = rows[0]!.filter((value, i) => rows.some((row) => row[i] !== value)).length;
  if (lines.length < channels || ofOneChannel !== ofAnyChannel) return undefined;
  const rounded = (value: number) => Number(value.toPrecision(digits));
  return {
    mean: lines.map(({ factor, shift }) => (shift === 0 ? 0 : rounded(-shift / factor))),
    std: lines.map(({ factor }) => rounded(1 / factor)),
  };
}

/** Tells whether a mean or deviation is that of pixels from 0 to 255: in [0, 1] neither is large. */
export function isOfBytes({ mean, std }: ChannelStatistics): boolean {
  return [...mean, ...std].some((value) => Math.abs(value) >= 20);
}

/** Values that a part of a graph makes of each image; undefined where it does not run. */
function rowsBy(part: Graph, images: () => Tensor): Float32Array[] | undefined {
  let module: GraphModule | undefined;
  try {
    const made = new GraphModule(part, { exactGradients: true });
    module = made;
    return scope(() => noGrad(() => rowsOf(made, images())));
  } catch {
    // A fact for the report refuses no model that runs as a whole.
    return undefined;
  } finally {
    module?.dispose();
  }
}

/** An image of zeros, then one of each channel at 1, and one of each at a half. */
function channelImages(channels: number, size: number, shape: ImageShape): Tensor {
  const count = 1 + 2 * channels;
  const pixels = new Float32Array(count * channels * size);
  for (let c = 0; c < channels; c++) {
    for (const [image, level] of [[1 + c, 1] as const, [1 + channels + c, 0.5] as const]) {
      const first = (image * channels + c) * size;
      pixels.fill(level, first, first + size);
    }
  }
  return tensor(pixels, [count, ...shape]);
}

/** Values that a module makes of each image. */
function rowsOf(module: GraphModule, images: Tensor): Float32Array[] {
  const count = images.shape[0]!;
  const noise = { seed: deriveSeed(0, "normalization"), draw: 0, imageIds: imageIdRange(0, count) };
  const made = module.apply(images, { training: false, noise }).to("float32").toArray() as Float32Array;
  const size = made.length / count;
  return Array.from({ length: count }, (_, i) => made.subarray(i * size, (i + 1) * size));
}

/** Factor and shift of a channel, by values of no, all and half of its light; `size` values depend on it. */
function channelBy(none: Float32Array, all: Float32Array, half: Float32Array, rounding: number) {
  const own = [...none.keys()].filter((i) => none[i] !== all[i]);
  const [first] = own;
  if (first === undefined) return undefined;
  const [factor, shift] = [all[first]! - none[first]!, none[first]!];
  const limit = rounding * (Math.abs(factor) + Math.abs(shift));
  const isSame = own.every(
    (i) =>
      Math.abs(all[i]! - none[i]! - factor) <= limit &&
      Math.abs(none[i]! - shift) <= limit &&
      Math.abs(half[i]! - shift - factor / 2) <= limit,
  );
  return isSame ? { factor, shift, size: own.length } : undefined;
}

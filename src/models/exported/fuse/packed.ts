import {
  keep,
  noGrad,
  type PackedWeights,
  packedLayer,
  packWeights,
  scope,
  type Tensor,
  versionOf,
} from "../../../engine/index.js";
import type { Graph, GraphNode, GraphValue, LayerForm } from "../graph.js";
import { namesOf } from "./absorb.js";

/** Graph whose layers hold packed weights, until it is disposed. */
export interface PackedGraph {
  readonly graph: Graph;
  dispose(): void;
}

/** Values of a layer that its weights are made of, each undefined where there is none. */
interface LayerWeights {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  readonly normalization: readonly (Tensor | undefined)[];
}

/** Weights and bias of a layer with batch normalization folded in, computed in float64. */
function folded(
  { weight, bias, normalization }: LayerWeights,
  epsilon: number,
): readonly [weight: Tensor, bias: Tensor | undefined] {
  const [scale, shift, mean, variance] = normalization;
  if (mean === undefined || variance === undefined) return [weight, bias?.clone()];
  const exact = (tensor: Tensor) => tensor.to("float64");
  const deviation = exact(variance).add(epsilon).sqrt();
  const factor = scale === undefined ? deviation.reciprocal() : exact(scale).div(deviation);
  const centered = bias === undefined ? exact(mean).neg() : exact(bias).sub(exact(mean));
  const moved = centered.mul(factor);
  const sides = weight.shape.slice(1).map(() => 1);
  return [
    exact(weight)
      .mul(factor.reshape([-1, ...sides]))
      .to("float32"),
    (shift === undefined ? moved : moved.add(exact(shift))).to("float32"),
  ];
}

/** Layer's packed weights, made anew when a tensor that they come of is another or was written to. */
class Packing {
  #of: readonly Tensor[] = [];
  #versions: readonly number[] = [];
  #packed: PackedWeights | undefined;
  #bias: Tensor | undefined;

  constructor(readonly form: LayerForm) {}

  /** Weights for an input of this shape, packed for the sides of the first. */
  of(
    weights: LayerWeights,
    shape: readonly number[],
  ): { readonly packed: PackedWeights; readonly bias: Tensor | undefined } {
    const { weight, bias, normalization } = weights;
    const all = [weight, bias, ...normalization].filter((tensor) => tensor !== undefined);
    const versions = all.map(versionOf);
    const isSame =
      all.length === this.#of.length &&
      all.every((tensor, i) => tensor === this.#of[i] && versions[i] === this.#versions[i]);
    if (this.#packed === undefined || !isSame) {
      this.dispose();
      const made = noGrad(() =>
        scope(() => {
          const [kernel, shift] = folded(weights, this.form.normalization?.epsilon ?? 0);
          const [height = 1, width = 1] = kernel.shape.length === 2 ? [] : shape.slice(-2);
          return { packed: packWeights(kernel, this.form, [height, width]), bias: shift };
        }),
      );
      this.#packed = made.packed;
      this.#bias = made.bias === undefined ? undefined : keep(made.bias);
      [this.#of, this.#versions] = [all, versions];
    }
    return { packed: this.#packed, bias: this.#bias };
  }

  dispose(): void {
    const { forward, backward } = this.#packed ?? {};
    for (const tensor of [forward, backward, this.#bias]) tensor?.dispose();
    this.#packed = undefined;
    this.#bias = undefined;
  }
}

/** Tells whether a residual has the shape of a layer's output. */
function fits({ channels, geometry, isLinear }: PackedWeights, input: Tensor, residual: Tensor): boolean {
  const [height, width, down, across, above, beside] = geometry as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const side = (taken: number, kernel: number, stride: number, padding: number) =>
    Math.floor((taken + 2 * padding - kernel) / stride) + 1;
  const [n, , ...sides] = input.shape;
  const shape = isLinear
    ? [...input.shape.slice(0, -1), channels[1]]
    : [n, channels[1], side(sides[0]!, height, down, above), side(sides[1]!, width, across, beside)];
  return residual.shape.join() === shape.join();
}

/** Output of a layer; a residual of another shape or type is added by the operator that it came from. */
function outputOf(
  input: Tensor,
  packing: Packing,
  weights: LayerWeights,
  residual: Tensor | undefined,
): Tensor {
  const { packed, bias } = packing.of(weights, input.shape);
  const { relu = false } = packing.form;
  // An image without a batch.
  const isAlone = !packed.isLinear && input.shape.length === 3;
  const taken = isAlone ? input.unsqueeze(0) : input;
  if (residual === undefined && !isAlone) return packedLayer(taken, packed, { bias, relu });
  if (!isAlone && residual?.dtype === "float32" && fits(packed, taken, residual))
    return packedLayer(taken, packed, { bias, residual, relu });
  const plain = packedLayer(taken, packed, { bias });
  const output = isAlone ? plain.squeeze(0) : plain;
  const sum = residual === undefined ? output : output.add(residual);
  return relu ? sum.relu() : sum;
}

/** Node that computes its layer by packed weights. */
function packedNode(node: GraphNode, form: LayerForm, packing: Packing): GraphNode {
  const names = namesOf(form);
  const { weight, bias, normalization, residual, input } = form;
  const statistics = normalization && [
    normalization.weight,
    normalization.bias,
    normalization.mean,
    normalization.variance,
  ];
  const run = (inputs: readonly GraphValue[]): readonly GraphValue[] => {
    const value = (name: string | null | undefined) =>
      typeof name === "string" ? (inputs[names.indexOf(name)] as Tensor) : undefined;
    const weights = {
      weight: value(weight)!,
      bias: value(bias),
      normalization: (statistics ?? []).map(value),
    };
    return [outputOf(value(input)!, packing, weights, value(residual))];
  };
  const { name, operator, outputs } = node;
  return { name, operator, inputs: names, outputs, run, form };
}

/** Packs the weights of every layer when it first runs. */
export function packed(graph: Graph): PackedGraph {
  const packings: Packing[] = [];
  const nodes = graph.nodes.map((node) => {
    if (node.form?.kind !== "layer") return node;
    const packing = new Packing(node.form);
    packings.push(packing);
    return packedNode(node, node.form, packing);
  });
  return {
    graph: { ...graph, nodes },
    dispose: () => {
      for (const packing of packings) packing.dispose();
    },
  };
}

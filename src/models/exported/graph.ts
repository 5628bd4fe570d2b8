import type { KernelSteps, Noise, Tensor } from "../../engine/index.js";

/** Value of a graph: a tensor, a number of shape arithmetic, or nothing where an operator returns none. */
export type GraphValue = Tensor | number | boolean | null;

/** Facts of a pass that nodes may need. */
export interface NodeContext {
  /** Device of the images. */
  readonly device: string;
  /** Key of the pass's noise. */
  readonly noise: Noise;
  /** Without the noise of random nodes, which then give its mean. */
  readonly noiseFree: boolean;
  /** Stream of the node's noise, its own in the model. */
  readonly stream: number;
  /** Tells whether the first axis of the node's noise is that of the images, where that was found out. */
  readonly noisePerImage?: boolean;
}

/** Way of a node to gradients. */
export type GradientRole =
  /** Passes gradients as its operator does; the only role of most nodes. */
  | "passes"
  /** Has a zero gradient almost everywhere, or none: rounding, signs, comparisons, integer casts. */
  | "blocks"
  /** Stops gradients on purpose, as `detach` does. */
  | "detaches";

/** Statistics and scale of a batch normalization outside of training, by the names of their values. */
export interface NormalizationForm {
  readonly weight: string | null;
  readonly bias: string | null;
  readonly mean: string;
  readonly variance: string;
  readonly epsilon: number;
}

/** Convolution or linear layer, and what was found behind it; by the names of values. */
export interface LayerForm extends KernelSteps {
  readonly kind: "layer";
  readonly input: string;
  readonly weight: string;
  readonly bias: string | null;
  readonly normalization?: NormalizationForm;
  readonly residual?: string;
  readonly relu?: boolean;
}

/** Meaning of a node that is known to passes which rewrite graphs. */
export type NodeForm =
  | LayerForm
  | ({ readonly kind: "normalization"; readonly input: string } & NormalizationForm)
  | { readonly kind: "sum"; readonly terms: readonly [string, string] }
  | { readonly kind: "relu"; readonly input: string };

/** One step of a graph. */
export interface GraphNode {
  /** Name in the file, unlike any other node's. */
  readonly name: string;
  /** Operator as its format writes it, such as `aten.conv2d` or `Conv`. */
  readonly operator: string;
  /** Names of the values that it reads, once for each use. */
  readonly inputs: readonly string[];
  /** Names of the values that it makes; null for those that nobody reads. */
  readonly outputs: readonly (string | null)[];
  /** Computes the outputs from the values of `inputs`, in their order. */
  run(inputs: readonly GraphValue[], context: NodeContext): readonly GraphValue[];
  /** `passes` where left out. */
  readonly gradient?: GradientRole;
  /**
   * Smooth function that stands in for the node in the backward pass (BPDA: Athalye et al. 2018). Of a node
   * that blocks, it is always used; of others only where an input is an integer or boolean with a stand-in
   * of its own, which is then given in its place. Returns a float tensor of the first output's shape.
   */
  standIn?(inputs: readonly GraphValue[], context: NodeContext): Tensor;
  /** Reads no more of its inputs than their shapes: sizes, and tensors made like others. */
  readonly shapeOnly?: boolean;
  /**
   * Part of a mask that chooses between other values: `makes` it, as comparisons do, or `keeps` it, as casts
   * do. A mask beside values of the images, as in `where(x > 0, x, 0)`, blocks nothing.
   */
  readonly mask?: "makes" | "keeps";
  /** Position of the input whose memory the first output shares, as views do; its own where left out. */
  readonly shares?: number;
  /**
   * Of an in-place operator: `itself` where `run` writes to the first input and returns it; `result` where
   * `run` returns a new tensor, whose values are then written to the first input.
   */
  readonly writes?: "itself" | "result";
  /** Draws noise. */
  readonly random?: boolean;
  /** A softmax, or its logarithm, over classes: taken off where the graph ends with it. */
  readonly softmax?: boolean;
  /** Meaning of the node, where passes that rewrite graphs know it; undefined for all others. */
  readonly form?: NodeForm | undefined;
}

/** Name of a node's operator in any format, in place or not: `aten.mul_`, `aten.mul` and `Mul` are `mul`. */
export function plainName({ operator }: Pick<GraphNode, "operator">): string {
  return operator
    .replace(/^aten\./, "")
    .replace(/_$/, "")
    .toLowerCase();
}

/** Weight, buffer or constant of a graph. */
export interface GraphWeight {
  /** Name in the model that was exported, such as `layer1.0.conv1.weight`. */
  readonly name: string;
  /** Names of its values in the graph: several where weights are tied. */
  readonly values: readonly string[];
  /** Tells whether training changes it. */
  readonly parameter: boolean;
  /** Makes the tensor, new each time. */
  make(): Tensor;
}

/** Model as a list of operators, which .pt2 and ONNX files become. */
export interface Graph {
  /** Name of the value that the images are. */
  readonly input: string;
  /** Shape of an image as the graph takes it, without the batch. */
  readonly imageSizes: readonly number[];
  /** Type that the graph takes images in; they are converted from float32. */
  readonly imageType: "float32" | "float64" | "float16" | "bfloat16";
  /** Name of the value that the logits are, (N, classes). */
  readonly output: string;
  /** Images that the graph takes at once. */
  readonly batch: { readonly least: number; readonly most: number };
  readonly weights: readonly GraphWeight[];
  /** Tensors of the file that its nodes hold, such as whole numbers; they are counted among no weights. */
  readonly built?: ReadonlyMap<string, Tensor>;
  /** In an order in which each value is made before it is read. */
  readonly nodes: readonly GraphNode[];
}

/** The graph whose output is what its last softmax takes, and that softmax; undefined where it has none. */
export function withoutSoftmax(graph: Graph): { readonly graph: Graph; readonly softmax?: GraphNode } {
  const last = graph.nodes.find(({ outputs }) => outputs.includes(graph.output));
  if (last?.softmax !== true) return { graph };
  const isRead = graph.nodes.some(({ inputs }) => inputs.includes(graph.output));
  const nodes = isRead ? graph.nodes : graph.nodes.filter((node) => node !== last);
  return { graph: { ...graph, output: last.inputs[0]!, nodes }, softmax: last };
}

/** Throws an Error unless every value is made once, before it is read. */
export function checkOrder({ input, output, weights, nodes }: Graph): void {
  const made = new Set<string>([input]);
  const make = (name: string, by: string) => {
    if (made.has(name)) throw new RangeError(`${by}: the value "${name}" is made twice`);
    made.add(name);
  };
  for (const { name, values } of weights) for (const value of values) make(value, `weight "${name}"`);
  const names = new Set<string>();
  for (const { name, inputs, outputs } of nodes) {
    if (names.has(name)) throw new RangeError(`node "${name}" occurs twice`);
    names.add(name);
    const missing = inputs.find((value) => !made.has(value));
    if (missing !== undefined)
      throw new RangeError(`node "${name}" reads "${missing}", which nothing before it makes`);
    for (const value of outputs) if (value !== null) make(value, `node "${name}"`);
  }
  if (!made.has(output)) throw new RangeError(`nothing makes the output "${output}"`);
}

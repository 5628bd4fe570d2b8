import { operators, scope, Tensor } from "../../engine/index.js";
import { Module, type OnnxEdge, type Pass } from "../../nn/index.js";
import { type GradientFlow, gradientFlow } from "./flow.js";
import type { PackedGraph } from "./fuse/packed.js";
import { searchGraph } from "./fuse/search-graph.js";
import { checkOrder, type Graph, type GraphNode, type GraphValue, type NodeContext } from "./graph.js";
import { NodePlace } from "./graph-node.js";
import { Lifetimes } from "./lifetimes.js";
import { isFloat, straightThrough } from "./straight-through.js";

/** Choices for running a graph. */
export interface GraphModuleOptions {
  /** Leaves blocked gradients as they are, in place of smooth stand-ins. */
  readonly exactGradients: boolean;
}

/** Names of a module's own fields and methods, which no weight may take the place of. */
const isTaken = (name: string) => name in Module.prototype || /^(input|output)Transforms$|^__/.test(name);

/**
 * Module that runs a graph from a file. Weights are parameters by their names in the file; each node is a
 * place for defenses by its name. Batch statistics are those of the file, in training too.
 */
export class GraphModule extends Module {
  readonly #graph: Graph;
  readonly #flow: GradientFlow;
  readonly #isBlocked: boolean;
  readonly #replaced: ReadonlySet<GraphNode>;
  readonly #places: ReadonlyMap<string, NodePlace>;
  readonly #lifetimes: Lifetimes;
  /** Graph for passes with constant weights, and the nodes that defenses followed when it was made. */
  #search: (PackedGraph & { readonly placed: string; readonly lifetimes: Lifetimes }) | undefined;

  constructor(graph: Graph, { exactGradients }: GraphModuleOptions) {
    super();
    checkOrder(graph);
    this.#graph = graph;
    this.#flow = gradientFlow(graph);
    this.#isBlocked = this.#flow.lost.length > 0 || (exactGradients && this.#flow.blocking.size > 0);
    this.#replaced = exactGradients ? new Set() : this.#flow.blocking;
    const random = new Set(this.#flow.random);
    this.#places = new Map(graph.nodes.map((node) => [node.name, new NodePlace(random.has(node))]));
    this.#lifetimes = new Lifetimes(graph);
    for (const weight of graph.weights) {
      const value = scope(() => weight.make());
      if (weight.parameter) value.requireGrad();
      const field = fieldOf(weight.name);
      Object.defineProperty(this, field, { value, enumerable: true, writable: true, configurable: true });
    }
  }

  /** Way of gradients through the graph. */
  get flow(): GradientFlow {
    return this.#flow;
  }

  get graph(): Graph {
    return this.#graph;
  }

  override namedChildren(): [string, Module][] {
    return [...this.#places];
  }

  /** Every tensor of the file that the graph reads: whole numbers too, such as weights of 8 bits. */
  override stored(): Map<string, Tensor> {
    const { built = [] } = this.#graph;
    return new Map([...built, ...super.state()]);
  }

  /** Weights and buffers of floats; whole numbers, such as indices and counts, stay as the file has them. */
  override state(): Map<string, Tensor> {
    return new Map([...super.state()].filter(([, value]) => isFloat(value)));
  }

  override forget(): void {
    this.#search?.dispose();
  }

  override dispose(): void {
    super.dispose();
    for (const value of Object.values(this)) if (value instanceof Tensor) value.dispose();
  }

  override get gainsByConstantWeights(): boolean {
    return true;
  }

  protected override forward(images: Tensor, pass: Pass): Tensor {
    const { least, most } = this.#graph.batch;
    const count = images.shape[0]!;
    if (count >= least && count <= most) return this.#run(images, pass);
    const parts: Tensor[] = [];
    for (let first = 0; first < Math.max(1, count); first += most) {
      const taken = Math.min(most, count - first);
      const size = Math.max(least, taken);
      const noise = { ...pass.noise, imageIds: padded(pass.noise.imageIds, first, taken, size) };
      const logits = this.#run(padded(images, first, taken, size), { ...pass, noise });
      parts.push(logits.slice(0, 0, taken));
    }
    return parts.length === 1 ? parts[0]! : operators.cat(parts, 0);
  }

  protected override onnx(): OnnxEdge {
    throw new TypeError(
      "a graph out of a file is not written as ONNX: write its weights (.safetensors), or a " +
        "copy of its file (.pt2), which torch.onnx.export takes in Python",
    );
  }

  /** Logits of as many images as the graph takes. */
  #run(images: Tensor, pass: Pass): Tensor {
    const { graph, lifetimes } = this.#graphFor(images, pass);
    const { input, imageSizes, imageType, output, weights, nodes } = graph;
    const values = lifetimes.begin();
    const standIns = new Map<string, Tensor>();
    // A copy, which in-place operators may write to.
    const shaped = images.clone().reshape([images.shape[0]!, ...imageSizes]);
    values.set(input, shaped.to(imageType));
    for (const { name, values: names } of weights) {
      for (const value of names) values.lend(value, Reflect.get(this, fieldOf(name)) as Tensor);
    }
    for (const [i, node] of nodes.entries()) {
      const place = this.#places.get(node.name)!;
      const context: NodeContext = {
        device: images.device,
        noise: pass.noise,
        noiseFree: pass.noiseFree === true,
        get stream() {
          return place.stream;
        },
      };
      try {
        const given = node.inputs.map((name) => values.get(name));
        const made = written(node, given, this.#outputs(node, given, standIns, context));
        for (const [k, name] of node.outputs.entries()) {
          const value = made[k] ?? null;
          const isPlaced = place.outputTransforms.length > 0 && k === 0 && isFloat(value);
          const placed = isPlaced ? place.apply(value, pass) : value;
          if (name !== null) values.set(name, placed);
          else if (value instanceof Tensor) values.drop(value);
          if (isPlaced && placed !== value) values.drop(value);
        }
      } catch (error) {
        throw nodeError(error, node);
      }
      values.freeAfter(i, standIns);
    }
    const made = values.take(output);
    const logits = isFloat(made) ? made.to("float32") : made;
    if (!this.#isBlocked) return logits;
    // Where all gradients are blocked they are zero, which attacks tell from a model that ignores its images.
    const zeros = images.flatten(1).amax([1]).mul(0);
    const ones = logits.shape.slice(1).map(() => 1);
    return logits.add(zeros.reshape([zeros.shape[0]!, ...ones]).to(logits.dtype));
  }

  /** Graph of a pass: the file's, which says what is right, or where weights are constants a faster one. */
  #graphFor(images: Tensor, pass: Pass): { readonly graph: Graph; readonly lifetimes: Lifetimes } {
    const isSearch = pass.constantWeights === true && !pass.training && images.device === "cpu";
    if (!isSearch) return { graph: this.#graph, lifetimes: this.#lifetimes };
    const isPinned = ({ name }: GraphNode) => this.#places.get(name)!.outputTransforms.length > 0;
    const placed = this.#graph.nodes.filter(isPinned).map(({ name }) => name);
    if (this.#search === undefined || this.#search.placed !== placed.join("\n")) {
      this.#search?.dispose();
      const fields = new Map(
        this.#graph.weights.flatMap(({ name, values }) => values.map((value) => [value, fieldOf(name)])),
      );
      const weightOf = (value: string) => {
        const field = fields.get(value);
        return field === undefined ? undefined : (Reflect.get(this, field) as Tensor);
      };
      const made = searchGraph(this.#graph, weightOf, isPinned);
      this.#search = { ...made, placed: placed.join("\n"), lifetimes: new Lifetimes(made.graph) };
    }
    return this.#search;
  }

  /** Outputs of a node, by its stand-in's gradient where it is replaced. */
  #outputs(
    node: GraphNode,
    given: readonly GraphValue[],
    standIns: Map<string, Tensor>,
    context: NodeContext,
  ): readonly GraphValue[] {
    const made = node.run(given, context);
    if (node.standIn === undefined) return made;
    const isPassed = node.inputs.some((name) => standIns.has(name));
    if (!this.#replaced.has(node) && !isPassed) return made;
    const [exact, ...others] = made;
    const smoothed = node.inputs.map((name, k) => standIns.get(name) ?? given[k]!);
    const smooth = node.standIn(smoothed, context);
    const isInput = smoothed.includes(smooth);
    const [name] = node.outputs;
    if (isFloat(exact)) {
      const replaced = straightThrough(smooth, exact);
      for (const used of isInput ? [exact] : [exact, smooth]) used.dispose();
      return [replaced, ...others];
    }
    // A handle of its own, since an input is freed by its own last use.
    if (typeof name === "string") standIns.set(name, isInput ? smooth.reshape(smooth.shape) : smooth);
    return made;
  }
}

/** Outputs of a node, the first of them written to its input where it is an in-place operator's. */
function written(node: GraphNode, given: readonly GraphValue[], made: readonly GraphValue[]) {
  const [target] = given;
  const [value] = made;
  if (node.writes !== "result" || !(target instanceof Tensor) || !(value instanceof Tensor)) return made;
  target.copy_(value);
  value.dispose();
  return [target];
}

/** Field that holds a weight: its name, or one made of it where a module has a field of that name. */
export function fieldOf(name: string): string {
  return isTaken(name) ? `weight ${name}` : name;
}

/** Images, or their ids, from the first on, the last of them repeated up to a size. */
function padded(all: Tensor, first: number, taken: number, size: number): Tensor {
  const own = all.slice(0, first, first + taken);
  if (taken === size) return own;
  if (taken === 0) return operators.zeros([size, ...all.shape.slice(1)], all.dtype, all.device);
  const last = own.slice(0, taken - 1, taken);
  return operators.cat([own, last.expand([size - taken, ...all.shape.slice(1)])], 0);
}

/** Puts the node before the message of an error. */
function nodeError(error: unknown, { name, operator }: GraphNode): unknown {
  if (!(error instanceof Error) || error.message.startsWith("in node ")) return error;
  error.message = `in node "${name}" (${operator}): ${error.message}`;
  return error;
}

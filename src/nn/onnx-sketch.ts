import { bytesOfTensor, scope, type Tensor, tensor } from "../engine/index.js";
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from "../files/index.js";

/** Value between two nodes of a graph that is written: its name, and its shape for one image. */
export interface OnnxEdge {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Attributes of a node, by their kinds in the format. */
export const attribute = {
  int: (value: number): OnnxAttribute => ({ kind: "int", value }),
  ints: (value: readonly number[]): OnnxAttribute => ({ kind: "ints", value }),
  float: (value: number): OnnxAttribute => ({ kind: "float", value }),
  text: (value: string): OnnxAttribute => ({ kind: "string", value }),
};

/** Numbers of element types in the format. */
const types = { float32: 1, int64: 7, float64: 11 } as const;

/** Element type of a graph's values, but for booleans. */
type OnnxElementType = keyof typeof types;

/** Facts of a model that is written. */
export interface OnnxSketchOptions {
  readonly inputShape: readonly number[];
  /** Weights by the names that the file gives them. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Without the noise of quantizers and random weights. */
  readonly noiseFree: boolean;
}

/**
 * Graph in ONNX's operators, version 17 of their set, to which each module of a model adds its nodes. The
 * first axis of every value that passes between modules is that of the images, of any number.
 */
export class OnnxSketch {
  /** The images. */
  readonly input: OnnxEdge;
  readonly noiseFree: boolean;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #weights: ReadonlyMap<Tensor, string>;
  readonly #constants = new Map<string, string>();
  readonly #names = new Set(["images", "logits", "N"]);
  #place = "";

  constructor({ inputShape, weights, noiseFree }: OnnxSketchOptions) {
    this.input = { name: "images", shape: inputShape };
    this.noiseFree = noiseFree;
    this.#weights = new Map([...weights].map(([name, value]) => [value, this.#unused(name)]));
  }

  /** Runs a function whose nodes have the name of a layer, and names made of it. */
  at<T>(place: string | undefined, body: () => T): T {
    const before = this.#place;
    this.#place = place === undefined ? before : shownPlace(place);
    try {
      return body();
    } finally {
      this.#place = before;
    }
  }

  /**
   * Adds a node.
   *
   * @param operator of ONNX's own domain
   * @param inputs values between nodes, and names of weights and constants
   * @param shape of its output for one image; that of the first input where left out
   * @returns its first output
   */
  node(
    operator: string,
    inputs: readonly (OnnxEdge | string)[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    shape?: readonly number[],
  ): OnnxEdge {
    const isFree = this.#place !== "" && !this.#names.has(this.#place);
    const name = this.#unused(isFree ? this.#place : this.#within(operator));
    const names = inputs.map((input) => (typeof input === "string" ? input : input.name));
    const given = new Map(Object.entries(attributes));
    this.#nodes.push({ name, operator, domain: "", inputs: names, outputs: [name], attributes: given });
    const first = inputs.find((input) => typeof input !== "string");
    return { name, shape: shape ?? (first as OnnxEdge | undefined)?.shape ?? [] };
  }

  /** Name of a tensor of the model: that of its state, or one made for a tensor that is no part of it. */
  weight(value: Tensor): string {
    const name = this.#weights.get(value) ?? this.#unused(this.#within("weight"));
    const type = value.dtype === "int64" ? "int64" : "float32";
    if (!this.#initializers.has(name)) this.#initialize(name, value, type);
    return name;
  }

  /** Name of a constant: a number, or numbers of a shape, row-major; float32 where no type is given. */
  constant(
    values: number | readonly number[],
    shape: readonly number[] = [],
    type: "float32" | "float64" = "float32",
  ): string {
    return this.#constant(typeof values === "number" ? [values] : values, shape, type);
  }

  /** Adds a node that brings a value to another element type. */
  cast(value: OnnxEdge, type: OnnxElementType): OnnxEdge {
    return this.node("Cast", [value], { to: attribute.int(types[type]) });
  }

  /** Name of a constant list of whole numbers, such as a shape. */
  whole(values: readonly number[]): string {
    return this.#constant(values, [values.length], "int64");
  }

  /** The graph with an output, which becomes the logits. */
  graph(output: OnnxEdge, classes: number): OnnxGraph {
    const isMade = this.#nodes.some(({ outputs }) => outputs.includes(output.name));
    const last = isMade ? output : this.node("Identity", [output]);
    const named = (name: string) => (name === last.name ? "logits" : name);
    return {
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(named),
        outputs: node.outputs.map(named),
      })),
      initializers: [...this.#initializers.values()],
      inputs: [{ name: "images", type: types.float32, shape: ["N", ...this.input.shape] }],
      outputs: [{ name: "logits", type: types.float32, shape: ["N", classes] }],
    };
  }

  #within(name: string): string {
    return this.#place === "" ? name : `${this.#place}/${name}`;
  }

  #constant(values: readonly number[], shape: readonly number[], dtype: OnnxElementType): string {
    const key = JSON.stringify([dtype, shape, values]);
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#unused("constant");
    scope(() => this.#initialize(name, tensor(Float64Array.from(values), shape, dtype), dtype));
    this.#constants.set(key, name);
    return name;
  }

  #initialize(name: string, value: Tensor, dtype: OnnxElementType): void {
    const raw = scope(() => bytesOfTensor(value.detach().to({ dtype, device: "cpu" })));
    this.#initializers.set(name, { name, shape: value.shape, type: types[dtype], raw, strings: 0 });
  }

  #unused(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#names.has(name); count++) name = `${wanted}_${count}`;
    this.#names.add(name);
    return name;
  }
}

/** Name of a place: what is applied to a layer's input or output is named after the layer. */
function shownPlace(place: string): string {
  const shown = place.replace(/\.?\b(input|output)Transforms\.\d+/g, "/$1");
  return shown.startsWith("/") ? shown.slice(1) : shown;
}

import { FileFormatError, shownName } from "../../../base/index.js";
import type { Tensor } from "../../../engine/index.js";
import type { OnnxAttribute, OnnxElements, OnnxNode, OnnxTensor, OnnxType } from "../../../files/index.js";
import type { GraphNode, NodeContext } from "../graph.js";

/** Surroundings of all nodes of a model. */
export interface NodeWorld {
  readonly opset: number;
  /** Elements that one value may have. */
  readonly mostElements: number;
  elements(tensor: OnnxTensor): OnnxElements;
  /** Element type of a value that the file holds; undefined of one that is computed. */
  typeOf(name: string): OnnxType | undefined;
}

/** Values of attributes by their kinds. */
interface AttributeValues {
  readonly float: number;
  readonly int: number;
  readonly string: string;
  readonly tensor: OnnxTensor;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
}

/** Node of a graph as its operator sees it: attributes by name and kind, with their defaults. */
export class NodeView {
  readonly #read = new Set<string>();

  constructor(
    readonly node: OnnxNode,
    readonly world: NodeWorld,
  ) {}

  get opset(): number {
    return this.world.opset;
  }

  get outputs(): number {
    return this.node.outputs.length;
  }

  /** Tells whether an output is used, or at least named. */
  hasOutput(index: number): boolean {
    return (this.node.outputs[index] ?? "") !== "";
  }

  /** Element type of an input that the file holds. */
  typeOfInput(index: number): OnnxType | undefined {
    return this.world.typeOf(this.node.inputs[index] ?? "");
  }

  int(name: string, fallback: number): number {
    return this.#attribute("int", name) ?? fallback;
  }

  /**
   * A number: the decimal of seven digits whose float32 the file has. PyTorch computes with 1e-5, not with
   * the float32 nearest to it.
   */
  float(name: string, fallback: number): number {
    const value = this.#attribute("float", name);
    if (value === undefined) return fallback;
    const decimal = Number(value.toPrecision(7));
    return Math.fround(decimal) === value ? decimal : value;
  }

  string(name: string, fallback: string): string {
    return this.#attribute("string", name) ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute("ints", name);
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute("floats", name);
  }

  tensor(name: string): OnnxTensor | undefined {
    return this.#attribute("tensor", name);
  }

  /** A text that has to be one of some. */
  choice<T extends string>(name: string, accepted: readonly [T, ...T[]]): T {
    const given = this.string(name, accepted[0]);
    if (!(accepted as readonly string[]).includes(given)) {
      throw this.refuse(`${name} must be ${accepted.join(" or ")}, not "${shownName(given)}"`);
    }
    return given as T;
  }

  /** Attributes that no one asked for: of another operator, or of another version of it. */
  unread(): string[] {
    return [...this.node.attributes.keys()].filter((name) => !this.#read.has(name));
  }

  /** An error that names the node. */
  refuse(problem: string): FileFormatError {
    return new FileFormatError(`node ${this.title}: ${problem}`);
  }

  /** Operator and name, as a message shows them. */
  get title(): string {
    const { operator, name } = this.node;
    return name === "" ? operator : `${operator} "${shownName(name)}"`;
  }

  #attribute<K extends keyof AttributeValues>(kind: K, name: string): AttributeValues[K] | undefined {
    this.#read.add(name);
    const found: OnnxAttribute | undefined = this.node.attributes.get(name);
    if (found === undefined) return undefined;
    if (found.kind !== kind)
      throw this.refuse(`attribute ${name} must be of kind ${kind}, not ${found.kind}`);
    return found.value as unknown as AttributeValues[K];
  }
}

/** Inputs of a node in their order; undefined where one is left out. */
export type Inputs = readonly (Tensor | undefined)[];

/** Facts of a node that a graph needs beside its work. */
export interface NodeTraits
  extends Pick<GraphNode, "gradient" | "mask" | "shapeOnly" | "random" | "softmax"> {
  /** The smooth function of a node that blocks gradients; `first` for its first input as it is. */
  readonly standIn?: "first" | ((node: NodeView, inputs: Inputs) => Tensor);
}

/** Operator of ONNX. */
export interface OnnxOperator {
  /** Least and most number of inputs. */
  readonly inputs: readonly [least: number, most: number];
  /** Outputs in their order; null for those that a node does not have. */
  readonly run: (node: NodeView, inputs: Inputs, context: NodeContext) => readonly (Tensor | null)[];
  /** Traits of all its nodes, or of one. */
  readonly traits: NodeTraits | ((node: NodeView) => NodeTraits);
}

/** Operators of ONNX by their names. */
export type OnnxOperators = Readonly<Record<string, OnnxOperator>>;

/** Operator of so many inputs, the last of which may be left out. */
export function operator(
  inputs: number | readonly [least: number, most: number],
  run: (node: NodeView, ...inputs: Tensor[]) => Tensor | readonly (Tensor | null)[],
  traits: OnnxOperator["traits"] = {},
): OnnxOperator {
  return {
    inputs: typeof inputs === "number" ? [inputs, inputs] : inputs,
    run: (node, given) => {
      const made = run(node, ...(given as Tensor[]));
      return Array.isArray(made) ? made : [made as Tensor];
    },
    traits,
  };
}

/** Traits of what rounds, and has a gradient of zero: the identity stands in for it. */
export const rounds: NodeTraits = { gradient: "blocks", standIn: "first" };

/** Traits of what compares: a mask, through which no gradient goes. */
export const compares: NodeTraits = { gradient: "blocks", mask: "makes" };

/** Traits of what passes masks on. */
export const keepsMasks: NodeTraits = { mask: "keeps" };

/** Traits of what chooses an index. */
export const chooses: NodeTraits = { gradient: "blocks" };

/** Most inputs of an operator that takes any number. */
export const anyNumber = 4096;

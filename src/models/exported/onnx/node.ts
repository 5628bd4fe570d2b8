import { FileFormatError, shownName } from "../../../base/index.js";
import type { Noise, Tensor } from "../../../engine/index.js";
import type { OnnxAttribute, OnnxElements, OnnxNode, OnnxTensor } from "../../../files/index.js";

/** Facts of a pass that an operator may ask for. */
export interface NodePass {
  /** Key of the pass's noise; undefined outside of one, as when shapes are found out. */
  readonly noise: Noise | undefined;
  /** Stream of this node's noise. */
  readonly stream: number;
  /** Images of the batch. */
  readonly images: number;
}

/** Surroundings of all nodes of a model. */
export interface NodeWorld {
  readonly opset: number;
  /** Gives steps such as rounding the gradient that they have, zero, in place of the identity. */
  readonly exactGradients: boolean;
  elements(tensor: OnnxTensor): OnnxElements;
}

type ValueOf<K extends OnnxAttribute["kind"]> = Extract<OnnxAttribute, { readonly kind: K }>["value"];

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

  int(name: string, fallback: number): number {
    return this.#attribute("int", name) ?? fallback;
  }

  float(name: string, fallback: number): number {
    return this.#attribute("float", name) ?? fallback;
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

  #attribute<K extends OnnxAttribute["kind"]>(kind: K, name: string): ValueOf<K> | undefined {
    this.#read.add(name);
    const found = this.node.attributes.get(name);
    if (found === undefined) return undefined;
    // An empty list is written without a type by some.
    if (found.kind !== kind) throw this.refuse(`attribute ${name} must be of kind ${kind}, not ${found.kind}`);
    return found.value as ValueOf<K>;
  }
}

/** Work of an operator: its inputs in their order to its outputs. */
export type Run = (node: NodeView, inputs: readonly (Tensor | undefined)[], pass: NodePass) => readonly Tensor[];

/** Manner in which an operator keeps gradients from what comes before it. */
export type Blocking = "rounds" | "compares" | "chooses";

/** Operator of ONNX. */
export interface OnnxOperator {
  /** Least and most number of inputs. */
  readonly inputs: readonly [least: number, most: number];
  readonly run: Run;
  /** Said where its gradient is zero or missing. */
  readonly blocks?: Blocking;
  /** True where it draws noise. */
  readonly random?: true;
  /** Version of the operator set in which it came; 13 or before where left out. */
  readonly since?: number;
}

export type OnnxOperators = Readonly<Record<string, OnnxOperator>>;

/** Operator of a fixed number of inputs, the last of which may be left out, with a single output. */
export function operator(
  inputs: number | readonly [least: number, most: number],
  run: (node: NodeView, ...inputs: Tensor[]) => Tensor | readonly Tensor[],
  traits: Pick<OnnxOperator, "blocks" | "since"> = {},
): OnnxOperator {
  return {
    inputs: typeof inputs === "number" ? [inputs, inputs] : inputs,
    run: (node, given) => {
      const made = run(node, ...(given as Tensor[]));
      return Array.isArray(made) ? made : [made as Tensor];
    },
    ...traits,
  };
}

/** Most inputs of an operator that takes any number. */
export const anyNumber = 4096;

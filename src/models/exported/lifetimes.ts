import { Tensor } from "../../engine/index.js";
import type { Graph, GraphValue } from "./graph.js";

/** Last uses of a graph's values: each is freed after it. */
export class Lifetimes {
  /** Names of the values that are not read after a node, by the node's position. */
  readonly #ending: readonly (readonly string[])[];

  constructor({ nodes, output }: Graph) {
    const last = new Map<string, number>();
    for (const [i, { inputs, outputs }] of nodes.entries()) {
      for (const name of inputs) last.set(name, i);
      for (const name of outputs) if (name !== null) last.set(name, i);
    }
    last.delete(output);
    const ending: string[][] = nodes.map(() => []);
    for (const [name, i] of last) ending[i]!.push(name);
    this.#ending = ending;
  }

  /** The values of one pass. */
  begin(): LiveValues {
    return new LiveValues(this.#ending);
  }
}

/** Values of a pass that are still to be read. */
class LiveValues {
  readonly #values = new Map<string, GraphValue>();
  /** Number of names of each tensor: in-place operators give a tensor another. Lent ones are not freed. */
  readonly #names = new Map<Tensor, number>();

  constructor(readonly ending: readonly (readonly string[])[]) {}

  get(name: string): GraphValue {
    return this.#values.get(name) ?? null;
  }

  set(name: string, value: GraphValue): void {
    this.#values.set(name, value);
    if (!(value instanceof Tensor)) return;
    this.#names.set(value, (this.#names.get(value) ?? 0) + 1);
  }

  /** Gives a tensor a name that is not this pass's to free. */
  lend(name: string, value: Tensor): void {
    this.#values.set(name, value);
    this.#names.set(value, Number.POSITIVE_INFINITY);
  }

  /** Frees a tensor that has no name. */
  drop(value: Tensor): void {
    if (!this.#names.has(value)) value.dispose();
  }

  /** The value of a name, which is no longer this pass's. */
  take(name: string): Tensor {
    const value = this.#values.get(name);
    if (!(value instanceof Tensor)) throw new TypeError(`the output "${name}" is no tensor`);
    return value;
  }

  /** Frees what is not read after a node. */
  freeAfter(node: number, standIns: Map<string, Tensor>): void {
    for (const name of this.ending[node]!) {
      const value = this.#values.get(name);
      this.#values.delete(name);
      standIns.get(name)?.dispose();
      standIns.delete(name);
      if (!(value instanceof Tensor)) continue;
      const left = this.#names.get(value)! - 1;
      if (left > 0) this.#names.set(value, left);
      else {
        this.#names.delete(value);
        value.dispose();
      }
    }
  }
}

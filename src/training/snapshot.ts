import { noGrad, scope, type Tensor } from "../engine/index.js";

/**
 * A copy of tensors that change in place, by their names: taken when it is made and at `take`, brought back
 * by `restore`.
 */
export class Snapshot {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #of: ReadonlyMap<string, Tensor>;

  constructor(of: ReadonlyMap<string, Tensor>) {
    this.#of = of;
    this.tensors = new Map(
      [...of].map(([name, value]) => [name, scope(() => noGrad(() => value.detach().clone()))]),
    );
  }

  take(): void {
    noGrad(() => {
      for (const [name, value] of this.#of) scope(() => this.tensors.get(name)!.copy_(value.detach()));
    });
  }

  restore(): void {
    noGrad(() => {
      for (const [name, value] of this.#of) scope(() => value.detach().copy_(this.tensors.get(name)!));
    });
  }

  dispose(): void {
    for (const value of this.tensors.values()) value.dispose();
  }
}

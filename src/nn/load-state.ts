import { checkKind } from "../base/index.js";
import { scope, type Tensor } from "../engine/index.js";
import { checkModule, type Module } from "./module.js";

/** The first names of a list: a residual network has more than a hundred. */
function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/**
 * Copies tensors into a network's state by name. Throws a RangeError that names what is missing, unknown or
 * of another shape; then nothing is copied.
 */
export function loadState(module: Module, tensors: ReadonlyMap<string, Tensor>): void {
  checkModule(module);
  checkKind("tensors", tensors, "a Map of tensors by name", tensors instanceof Map);
  const state = module.state();
  const missing = [...state.keys()].filter((name) => !tensors.has(name));
  const unknown = [...tensors.keys()].filter((name) => !state.has(name));
  if (missing.length > 0 || unknown.length > 0) {
    const parts = [
      missing.length > 0 ? `missing: ${someOf(missing)}` : "",
      unknown.length > 0 ? `not of this network: ${someOf(unknown)}` : "",
    ];
    throw new RangeError(`the weights do not fit the network (${parts.filter(Boolean).join("; ")})`);
  }
  for (const [name, own] of state) {
    const given = tensors.get(name)!;
    if (own.shape.join() !== given.shape.join()) {
      throw new RangeError(
        `weight "${name}" must have shape [${own.shape.join(", ")}], not [${given.shape.join(", ")}]`,
      );
    }
  }
  scope(() => {
    for (const [name, own] of state) own.detach().copy_(tensors.get(name)!);
  });
}

/** Name of the first of a module's tensors that holds NaN or infinity; undefined where none does. */
export function notFiniteWeight(module: Module): string | undefined {
  for (const [name, value] of module.state())
    if (scope(() => value.detach().isfinite().all().item()) === 0) return name;
  return undefined;
}

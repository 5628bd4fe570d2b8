/** Tensor, which a scope owns, seen as something to dispose. */
interface Disposable {
  dispose(): void;
  /** Tells whether the garbage collector is told of its memory. */
  setCollectable(flag: boolean): void;
}

const open: Set<Disposable>[] = [];

/**
 * Puts a new tensor under the innermost open scope, if there is one. While a scope holds it the garbage
 * collector is not told of its memory: it would look for tensors that it cannot have, several times a step of
 * a large network.
 */
import { checkKind } from "../base/index.js";
export function adopt(tensor: Disposable): void {
  const owned = open.at(-1);
  if (owned === undefined) return;
  owned.add(tensor);
  tensor.setCollectable(false);
}

/** Takes a tensor out of every open scope, so that it lives until it is disposed or collected. */
export function keep<T extends Disposable>(tensor: T): T {
  for (const owned of open) if (owned.delete(tensor)) tensor.setCollectable(true);
  return tensor;
}

/** Contents of a returned value, where it is one of the containers that a scope looks into. */
function contents(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return value.values();
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}

/**
 * Hands the owned tensors that a value holds to the enclosing scope; `seen` ends the walk through a cycle.
 */
function release(
  value: unknown,
  owned: Set<Disposable>,
  parent: Set<Disposable> | undefined,
  seen = new Set<object>(),
): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  const tensor = value as Disposable;
  if (owned.delete(tensor)) {
    if (parent === undefined) tensor.setCollectable(true);
    else parent.add(tensor);
  } else for (const item of contents(value)) release(item, owned, parent, seen);
}

/**
 * Runs a function and frees every tensor made inside it but those it returns.
 *
 * Returned tensors are found in arrays, maps, sets and plain objects, and pass to the enclosing scope. The
 * function must be synchronous: a Promise would outlive the scope, so returning one throws a TypeError.
 */
export function scope<T>(body: () => T): T {
  checkKind("body", body, "a synchronous function", typeof body === "function");
  const owned = new Set<Disposable>();
  open.push(owned);
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {}); // nobody can wait for it any more: its own failure must not end the process
      throw new TypeError("scope takes a synchronous function, not one that returns a Promise");
    }
    release(result, owned, open.at(-2));
    return result;
  } finally {
    open.pop();
    for (const tensor of owned) tensor.dispose();
  }
}

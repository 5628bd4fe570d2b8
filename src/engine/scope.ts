/** What a scope can own: a Tensor, seen from here only as something to dispose. */
interface Disposable {
  dispose(): void;
}

const open: Set<Disposable>[] = [];

/** Puts a new tensor under the innermost open scope, if there is one. */
export function adopt(tensor: Disposable): void {
  open.at(-1)?.add(tensor);
}

/** Takes a tensor out of every open scope, so that it lives until it is disposed or collected. */
export function keep<T extends Disposable>(tensor: T): T {
  for (const owned of open) owned.delete(tensor);
  return tensor;
}

function release(value: unknown, owned: Set<Disposable>, parent: Set<Disposable> | undefined): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if (owned.delete(value as Disposable)) {
    parent?.add(value as Disposable);
  } else if (Array.isArray(value)) {
    for (const item of value) release(item, owned, parent);
  } else if (value instanceof Map) {
    for (const item of value.values()) release(item, owned, parent);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) release(item, owned, parent);
  }
}

/**
 * Runs a function and frees every tensor made inside it but those it returns.
 *
 * Returned tensors are found in arrays, maps and plain objects, and pass to the enclosing scope. The function must be
 * synchronous: a Promise would outlive the scope, so returning one throws a TypeError.
 */
export function scope<T>(body: () => T): T {
  const owned = new Set<Disposable>();
  open.push(owned);
  try {
    const result = body();
    if (result instanceof Promise)
      throw new TypeError("scope takes a synchronous function, not one that returns a Promise");
    release(result, owned, open.at(-2));
    return result;
  } finally {
    open.pop();
    for (const tensor of owned) tensor.dispose();
  }
}

let forbidden = false;

/** Operators whose CUDA form waits for the device, since the shape or the method of what follows depends on values. */
const waitingOperators = new Set(["aten::nonzero", "aten::linalg_svdvals"]);

/** Throws within `withoutHostAccess`; `what` says what was tried. */
export function checkHostAccess(what: string): void {
  if (forbidden) throw new Error(`${what}, where the work of a device must not wait for the program`);
}

/** Throws within `withoutHostAccess` for an operator that waits for the device. */
export function checkOperator(name: string): void {
  if (forbidden && waitingOperators.has(name)) checkHostAccess(`operator ${name} was called`);
}

/**
 * Runs a synchronous function in which the program neither reads what tensors hold nor makes tensors of its own numbers: an
 * Error says what it tried. So a device never waits for the program within it, and what it does can be captured as a graph.
 */
export function withoutHostAccess<T>(body: () => T): T {
  const before = forbidden;
  forbidden = true;
  try {
    return body();
  } finally {
    forbidden = before;
  }
}

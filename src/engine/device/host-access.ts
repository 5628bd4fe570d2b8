let forbidden = false;

/**
 * Operators whose CUDA form waits for the device, since the shape or the method of what follows depends on
 * values.
 */
const waitingOperators = new Set(["aten::nonzero", "aten::linalg_svdvals"]);

/** Throws within `withoutHostAccess`; `what` says what was tried. */
export function checkHostAccess(what: string): void {
  if (forbidden) throw new Error(`${what}, where the work of a device must not wait for the program`);
}

/**
 * Operators that make a tensor of nothing, on the device that is their last argument: on the CPU where it is
 * left out.
 */
const factories = new Set(["aten::zeros", "aten::ones", "aten::full", "aten::arange"]);

/**
 * Throws within `withoutHostAccess` for an operator that waits for the device, or makes a tensor without
 * saying where.
 */
export function checkOperator(name: string, args: readonly unknown[]): void {
  if (!forbidden) return;
  if (waitingOperators.has(name)) checkHostAccess(`operator ${name} was called`);
  if (factories.has(name) && args.at(-1) === undefined)
    checkHostAccess(`operator ${name} was called without a device`);
}

/**
 * Runs a synchronous function in which the program neither reads what tensors hold nor makes tensors of its
 * own numbers, or without saying on which device: an Error says what it tried, on the CPU as well. So a
 * device never waits for the program within it, and what it does can be captured as a graph.
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

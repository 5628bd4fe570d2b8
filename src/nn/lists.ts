import { operators as ops, type Tensor } from "../engine/index.js";

/**
 * Lists of tensors and a factor without axes. On a device one kernel does a whole list, where libtorch would
 * need one for each tensor; on the CPU that gains nothing, and its older versions lack those operators.
 * `atOnce` says which, by where the list is.
 */
function onDevice(values: readonly Tensor[]): boolean {
  return values.length > 0 && values[0]!.device !== "cpu";
}

/** The products. */
export function products(values: readonly Tensor[], factor: Tensor, atOnce = onDevice(values)): Tensor[] {
  return atOnce ? ops.foreachTimes(values, factor) : values.map((value) => value.mul(factor));
}

/** Multiplies each in place. */
export function multiply(values: readonly Tensor[], factor: Tensor, atOnce = onDevice(values)): void {
  if (atOnce) ops.foreachTimes_(values, factor);
  else for (const value of values) value.mul_(factor);
}

/** Divides each in place. */
export function divide(values: readonly Tensor[], divisor: Tensor, atOnce = onDevice(values)): void {
  if (atOnce) ops.foreachOver_(values, divisor);
  else for (const value of values) value.div_(divisor);
}

/** Adds to each the multiple of its addend, in place. */
export function addMultiples(
  values: readonly Tensor[],
  addends: readonly Tensor[],
  factor: Tensor,
  atOnce = onDevice(values),
): void {
  if (atOnce) ops.foreachAdd_(values, ops.foreachTimes(addends, factor));
  else {
    ops.foreachAddcmul_(
      values,
      addends,
      values.map(() => factor),
    );
  }
}

/** Tensors by name, each once: one that has several names keeps the first. */
export function distinct(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const seen = new Set<Tensor>();
  const found = new Map<string, Tensor>();
  for (const [name, value] of tensors) {
    if (seen.has(value)) continue;
    seen.add(value);
    found.set(name, value);
  }
  return found;
}

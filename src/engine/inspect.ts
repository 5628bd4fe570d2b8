import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";

/** So many values are shown. */
const shownValues = 6;

/** A block at the tensor's beginning that holds its first values in order, however many more there are. */
function beginning(tensor: Tensor): Tensor {
  let block = tensor.detach();
  let taken = 1;
  for (let axis = tensor.shape.length - 1; axis >= 0; axis--) {
    const side = Math.min(tensor.shape[axis]!, Math.ceil(shownValues / taken));
    block = block.slice(axis, 0, side);
    taken *= Math.max(1, side);
  }
  return block;
}

function shownValue(value: number | bigint, dtype: string): string {
  if (dtype === "bool") return String(Boolean(value));
  return String(typeof value === "bigint" ? value : Number(value.toPrecision(5)));
}

function firstValues(tensor: Tensor): string {
  const { dtype, size } = tensor;
  const values = scope(() => beginning(tensor).toArray());
  const shown = Array.from(values as ArrayLike<number | bigint>).slice(0, shownValues);
  const texts = shown.map((value) => shownValue(value, dtype));
  if (size > texts.length) texts.push(`... ${size - texts.length} more`);
  return texts.join(", ");
}

/**
 * Text that `console.log` shows of a tensor: dtype, shape, device and its first values in row-major order.
 * Reads no more than these. Never throws: where values cannot be read, they are left out.
 */
export function inspected(tensor: Tensor): string {
  try {
    const head = String(tensor);
    if (tensor.disposed) return head;
    try {
      return tensor.size === 0 ? `${head} {}` : `${head} { ${firstValues(tensor)} }`;
    } catch {
      return head;
    }
  } catch {
    return "Tensor(of a type that is not known here)";
  }
}

import { checkNumber } from "../base/index.js";
import { native } from "./native.js";

/**
 * Runs a synchronous function in which tensors on the CPU may take so many bytes more than they have before
 * it: an operator that needs more is a TensorError. For work that a file asks for, whose sizes are not to be
 * trusted. Limits do not nest: the innermost stands, and ends all.
 */
export function withMemoryLimit<T>(bytes: number, body: () => T): T {
  checkNumber("bytes", bytes, "a whole number >= 0", Number.isSafeInteger(bytes) && bytes >= 0);
  native().limitMemory(bytes);
  try {
    return body();
  } finally {
    native().limitMemory(-1);
  }
}

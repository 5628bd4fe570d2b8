import type { Tensor } from "../tensor.js";

/** Tells whether tensors are of the kind that the CPU's own kernels take: float32 on the CPU. */
export function arePlainFloats(tensors: readonly Tensor[]): boolean {
  return tensors.every(({ dtype, device }) => dtype === "float32" && device === "cpu");
}

import { bfloat16Flags, cpuFlags, type Tensor } from "../engine/index.js";

/** Precisions of a network's weighted layers. In bfloat16 its parameters and their gradients stay float32. */
export const precisions = ["float32", "bfloat16"] as const;
export type Precision = (typeof precisions)[number];

/** An operator of an input, a weight and a bias. */
export type WeightedOperator = (input: Tensor, weight: Tensor, bias: Tensor | null) => Tensor;

/** Tells whether a device multiplies bfloat16 itself: CUDA devices, and processors that say so. */
export function multipliesBfloat16(device: string, flags: readonly string[] = cpuFlags()): boolean {
  return device !== "cpu" || bfloat16Flags(flags).length > 0;
}

/**
 * An operator in bfloat16: operands and output are rounded to it, and so are the gradients on their way back.
 *
 * Where the device cannot multiply bfloat16, float32 does: products of two bfloat16 are exact in it, and it
 * is what those that can add them up in. libtorch's own operators are far slower there.
 */
export function inBfloat16(operator: WeightedOperator, ...operands: Parameters<WeightedOperator>): Tensor {
  const [input, weight, bias] = operands;
  const rounded = (tensor: Tensor) => tensor.to("bfloat16");
  if (multipliesBfloat16(input.device))
    return operator(rounded(input), rounded(weight), bias && rounded(bias));
  const widened = (tensor: Tensor) => rounded(tensor).to("float32");
  return rounded(operator(widened(input), widened(weight), bias && widened(bias)));
}

import type { Seed } from "../base/index.js";
import { type Conv2d, conv2d } from "../nn/index.js";

/** A residual network's convolution: same size but for the stride, without bias, Kaiming's normal start over the fan out. */
export function convolution(seed: Seed, name: string, from: number, to: number, kernel: 1 | 3, stride = 1): Conv2d {
  const padding = kernel === 3 ? 1 : 0;
  const initialization = "kaiming-normal";
  return conv2d(seed, name, { in: from, out: to, kernel, stride, padding, bias: false, initialization });
}

import type { NodeView } from "../node.js";
import { checkedShape } from "../values.js";

/** Window of a convolution or a pooling over the axes behind batch and channels. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Elements that are added before and after each axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Padding that keeps `ceil(side / stride)` outputs, the odd element behind (`SAME_UPPER`) or before. */
function samePads(side: number, kernel: number, stride: number, dilation: number, upper: boolean) {
  const out = Math.ceil(side / stride);
  const pad = Math.max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - side);
  const small = Math.floor(pad / 2);
  return upper ? [small, pad - small] : [pad - small, small];
}

/** The window that a node's attributes say, for a kernel over the given sides. */
export function windowOf(node: NodeView, sides: readonly number[], kernel: readonly number[]): Window {
  const count = sides.length;
  const strides = node.ints("strides") ?? sides.map(() => 1);
  const dilations = node.ints("dilations") ?? sides.map(() => 1);
  const pads = node.ints("pads") ?? [...sides, ...sides].map(() => 0);
  const auto = node.choice("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  const lists = [strides, dilations, kernel];
  const positive = lists.every(
    (list) => list.length === count && list.every((one) => one >= 1 && one < 2 ** 31),
  );
  if (!positive || pads.length !== 2 * count || pads.some((pad) => Math.abs(pad) >= 2 ** 24)) {
    throw node.refuse(`kernel, strides, dilations and pads do not fit ${count} axes`);
  }
  const [before, after] = [pads.slice(0, count), pads.slice(count)];
  checkedShape(
    node,
    sides.map((side, i) => Math.max(0, side + before[i]! + after[i]!)),
  );
  if (auto === "NOTSET") return { strides, dilations, before, after };
  const each = sides.map((side, i) =>
    auto === "VALID" ? [0, 0] : samePads(side, kernel[i]!, strides[i]!, dilations[i]!, auto === "SAME_UPPER"),
  );
  return { strides, dilations, before: each.map(([a]) => a!), after: each.map(([, b]) => b!) };
}

/** Padding as libtorch's `constant_pad_nd` takes it: from the last axis to the first. */
export function padList(before: readonly number[], after: readonly number[]): number[] {
  return before.map((_, i) => before.length - 1 - i).flatMap((axis) => [before[axis]!, after[axis]!]);
}

/** Tells whether padding is the same on both sides. */
export function isSymmetric({ before, after }: Window): boolean {
  return before.every((pad, i) => pad === after[i] && pad >= 0);
}

import { operators, type Tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { checkedShape } from "../values.js";
import { isSymmetric, padList, type Window, windowOf } from "./window.js";

/** Kernel's sides, which the attribute repeats. */
function kernelOf(node: NodeView, x: Tensor, w: Tensor): readonly number[] {
  const kernel = w.shape.slice(2);
  const said = node.ints("kernel_shape") ?? kernel;
  const fits = x.shape.length >= 3 && x.shape.length <= 5 && w.shape.length === x.shape.length;
  if (!fits || said.join() !== kernel.join()) {
    throw node.refuse(`weights of shape [${w.shape.join(", ")}] do not fit [${x.shape.join(", ")}]`);
  }
  return kernel;
}

function groupsOf(node: NodeView): number {
  const groups = node.int("group", 1);
  if (groups >= 1) return groups;
  throw node.refuse(`group is ${groups}, not 1 or more`);
}

/** Convolution over one to three axes. */
export function conv(node: NodeView, x: Tensor, w: Tensor, b?: Tensor): Tensor {
  const window = windowOf(node, x.shape.slice(2), kernelOf(node, x, w));
  const { strides, dilations, before, after } = window;
  const symmetric = isSymmetric(window);
  const padded = symmetric ? x : x.constantPad(padList(before, after), 0);
  const pads = symmetric ? before : before.map(() => 0);
  const groups = groupsOf(node);
  return operators.convolution(
    padded,
    w,
    b ?? null,
    strides,
    pads,
    dilations,
    false,
    pads.map(() => 0),
    groups,
  );
}

/** Padding that makes the output of the sides that are asked for. */
function padsForShape(node: NodeView, full: readonly number[], extra: readonly number[]): Window | undefined {
  const wanted = node.ints("output_shape");
  const auto = node.choice("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
  const strides = node.ints("strides") ?? full.map(() => 1);
  const isSame = auto === "SAME_UPPER" || auto === "SAME_LOWER";
  if (wanted === undefined && !isSame) return undefined;
  const each = full.map((side, i) => {
    const goal = wanted?.[wanted.length - full.length + i] ?? extra[i]! * strides[i]!;
    const total = side - goal;
    const small = Math.floor(total / 2);
    return auto === "SAME_UPPER" ? [small, total - small] : [total - small, small];
  });
  return { strides, dilations: [], before: each.map(([a]) => a!), after: each.map(([, b]) => b!) };
}

/** Transposed convolution: its padding is cut off of the full output. */
function convTranspose(node: NodeView, x: Tensor, w: Tensor, b?: Tensor): Tensor {
  const kernel = kernelOf(node, x, w);
  const sides = x.shape.slice(2);
  const { strides, dilations, before, after } = windowOf(node, sides, kernel);
  const more = node.ints("output_padding") ?? sides.map(() => 0);
  const full = sides.map(
    (side, i) => (side - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1 + more[i]!,
  );
  const asked = padsForShape(node, full, sides);
  const [front, back] = asked === undefined ? [before, after] : [asked.before, asked.after];
  const groups = groupsOf(node);
  const none = sides.map(() => 0);
  checkedShape(node, [x.shape[0]!, w.shape[1]! * groups, ...full]);
  // libtorch wants output padding below the stride or dilation: what is more is padding with the bias.
  const whole = operators.convolution(x, w, null, strides, none, dilations, true, none, groups);
  const cut = padList(
    front.map((pad) => -pad),
    back.map((pad, i) => more[i]! - pad),
  );
  const made = cut.some((pad) => pad !== 0) ? whole.constantPad(cut, 0) : whole;
  return b === undefined ? made : made.add(b.reshape([b.size, ...sides.map(() => 1)]));
}

/** Convolutions. */
export const convolution: OnnxOperators = {
  Conv: operator([2, 3], conv),
  ConvTranspose: operator([2, 3], convTranspose),
};

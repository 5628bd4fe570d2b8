import { sizeOf } from "../../../../base/index.js";
import { operators, type Tensor } from "../../../../engine/index.js";
import { type NodeView, type OnnxOperators, operator } from "../node.js";
import { isFloat, sideAxes } from "../values.js";
import { padList, type Window, windowOf } from "./window.js";

const maxPools = [operators.maxPool1d, operators.maxPool2d, operators.maxPool3d];
const averagePools = [operators.avgPool1d, operators.avgPool2d, operators.avgPool3d];

interface Pool extends Window {
  readonly kernel: readonly number[];
  /** Elements behind the padding that the last window of `ceil_mode` reaches to. */
  readonly beyond: readonly number[];
}

function poolOf(node: NodeView, x: Tensor): Pool {
  const sides = x.shape.slice(2);
  const kernel = node.ints("kernel_shape") ?? [];
  if (sides.length < 1 || sides.length > 3) throw node.refuse(`${x.shape.length} axes, not 3 to 5`);
  const window = windowOf(node, sides, kernel);
  const up = node.int("ceil_mode", 0) !== 0;
  const beyond = sides.map((side, i) => {
    if (!up) return 0;
    const [stride, reach] = [window.strides[i]!, (kernel[i]! - 1) * window.dilations[i]! + 1];
    const padded = side + window.before[i]! + window.after[i]!;
    let count = Math.ceil((padded - reach) / stride) + 1;
    // A window has to begin in the input or the padding before it.
    if ((count - 1) * stride >= side + window.before[i]!) count--;
    return Math.max(0, (count - 1) * stride + reach - padded);
  });
  return { ...window, kernel, beyond };
}

/** The largest element of each window, and its place where that is asked for. */
export function maxPool(node: NodeView, x: Tensor): Tensor | readonly Tensor[] {
  const pool = poolOf(node, x);
  const byColumns = node.int("storage_order", 0) !== 0;
  if (node.hasOutput(1)) return maxPoolIndices(node, x, pool, byColumns);
  return isFloat(x) ? maxOf(x, pool) : maxOf(x.to("float32"), pool).to(x.dtype);
}

function maxOf(x: Tensor, { kernel, strides, dilations, before, after, beyond }: Pool): Tensor {
  const run = maxPools[kernel.length - 1]!;
  const ends = after.map((pad, i) => pad + beyond[i]!);
  const simple = before.every((pad, i) => pad === ends[i] && pad >= 0 && 2 * pad <= kernel[i]!);
  if (simple) return run(x, kernel, strides, before, dilations);
  const padded = x.constantPad(padList(before, ends), Number.NEGATIVE_INFINITY);
  return run(
    padded,
    kernel,
    strides,
    before.map(() => 0),
    dilations,
  );
}

/** The largest elements and their places in the whole input. */
function maxPoolIndices(node: NodeView, x: Tensor, pool: Pool, byColumns: boolean): readonly Tensor[] {
  const { kernel, strides, dilations, before, after, beyond } = pool;
  if (x.shape.length !== 4 || !isFloat(x)) throw node.refuse("Indices are known of float images only");
  const ends = after.map((pad, i) => pad + beyond[i]!);
  const padded = x.constantPad(padList(before, ends), Number.NEGATIVE_INFINITY);
  const [values, places] = operators.maxPool2dIndices(padded, kernel, strides, [0, 0], dilations);
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const across = operators.full([], padded.shape[3]!, "int64");
  const rows = places.divRounded(across, "floor").sub(before[0]!);
  const columns = places.remainder(across).sub(before[1]!);
  const inPlane = byColumns ? columns.mul(height).add(rows) : rows.mul(width).add(columns);
  const planes = operators.arange(0, n * c, 1, "int64").reshape([n, c, 1, 1]);
  return [values, inPlane.add(planes.mul(height * width))];
}

/** Sums over windows, or their means, of a padded tensor. */
function average(x: Tensor, { kernel, strides, dilations }: Pool): Tensor {
  if (dilations.every((one) => one === 1)) return averagePools[kernel.length - 1]!(x, kernel, strides);
  const count = sizeOf(kernel);
  const weight = operators.full([1, 1, ...kernel], 1 / count, x.dtype).to({ device: x.device });
  const none = kernel.map(() => 0);
  const [n, c, ...sides] = x.shape;
  const flat = x.reshape([n! * c!, 1, ...sides]);
  const made = operators.convolution(flat, weight, null, strides, none, dilations, false, none, 1);
  return made.reshape([n!, c!, ...made.shape.slice(2)]);
}

/** The mean of each window. */
export function averagePool(node: NodeView, x: Tensor): Tensor {
  const pool = poolOf(node, x);
  const { kernel, strides, dilations, before, after, beyond } = pool;
  const counted = node.int("count_include_pad", 0) !== 0;
  const plain = [...dilations.map((one) => one - 1), ...beyond].every((one) => one === 0);
  const small = before.every((pad, i) => pad === after[i] && pad >= 0 && 2 * pad <= kernel[i]!);
  if (plain && small) {
    return averagePools[kernel.length - 1]!(x, kernel, strides, before, false, counted);
  }
  const ends = after.map((pad, i) => pad + beyond[i]!);
  const zeros = x.constantPad(padList(before, ends), 0);
  // What is divided by: the share of each window that counts.
  const ones = operators.ones([1, 1, ...x.shape.slice(2)], x.dtype);
  const inside = counted ? ones.constantPad(padList(before, after), 1) : ones;
  const rest = counted
    ? padList(
        before.map(() => 0),
        beyond,
      )
    : padList(before, ends);
  const share = average(inside.constantPad(rest, 0), pool);
  return average(zeros, pool).div(share.to({ device: x.device }));
}

/** The p-norm of each window. */
function lpPool(node: NodeView, x: Tensor): Tensor {
  const pool = poolOf(node, x);
  const p = node.int("p", 2);
  const ends = pool.after.map((pad, i) => pad + pool.beyond[i]!);
  const count = sizeOf(pool.kernel);
  const powers = x.abs().pow(p).constantPad(padList(pool.before, ends), 0);
  return average(powers, pool)
    .mul(count)
    .pow(1 / p);
}

/** Pooling over windows, and over whole images. */
export const pooling: OnnxOperators = {
  MaxPool: operator(1, maxPool),
  AveragePool: operator(1, averagePool),
  LpPool: operator(1, lpPool),
  GlobalAveragePool: operator(1, (_, x) => x.meanDim(sideAxes(x.shape), true)),
  GlobalMaxPool: operator(1, (_, x) => x.amax(sideAxes(x.shape), true)),
  GlobalLpPool: operator(1, (node, x) => {
    const p = node.int("p", 2);
    return x
      .abs()
      .pow(p)
      .sumDim(sideAxes(x.shape), true)
      .pow(1 / p);
  }),
};

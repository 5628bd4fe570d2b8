import { operators as ops, type Tensor } from "../engine/index.js";
import type { Classifier } from "../nn/classifier.js";

/** How an attack sees the network, where not in one draw and through its own gradient. */
export interface View {
  /** Fresh draws that every gradient and answer of a randomized network is averaged over. */
  readonly draws: number;
  /** What is averaged over draws: the loss, or the softmax. */
  readonly mean: "loss" | "softmax";
  /** The substitute of the network that gradients are taken through; undefined for the network itself. */
  readonly through: string | undefined;
  /** Whose logits an attack goes by. */
  readonly forward: "own" | "substitute";
  /** Factor of the logits: one, or one for each image, (N, 1). */
  readonly scale: number | Tensor;
}

export const plainView: View = { draws: 1, mean: "loss", through: undefined, forward: "own", scale: 1 };

/** A view inside another: what the inner one names wins, and factors multiply. */
export function composeViews(outer: View, { scale, ...inner }: Partial<View>): View {
  return { ...outer, ...inner, scale: scale === undefined ? outer.scale : product(outer.scale, scale) };
}

function product(a: number | Tensor, b: number | Tensor): number | Tensor {
  if (typeof a !== "number") return a.mul(b);
  return typeof b === "number" ? a * b : b.mul(a);
}

/** The substitute that a view takes gradients through. Throws a RangeError that lists those that the network has. */
export function substituteOf(model: Classifier, name: string): Classifier {
  const { substitutes = {} } = model;
  if (Object.hasOwn(substitutes, name)) return substitutes[name]!;
  const names = Object.keys(substitutes);
  const known = names.length === 0 ? "the network has none" : `the network has: ${names.join(", ")}`;
  throw new RangeError(`no substitute "${name}" for gradients; ${known}`);
}

/** The logits (N, classes) whose softmax is the mean of several draws' softmax. */
export function logitsOfMeanSoftmax(draws: readonly Tensor[]): Tensor {
  const logs = draws.map((logits) => logits.logSoftmax(1));
  return ops.stack(logs, 0).logsumexp([0]);
}

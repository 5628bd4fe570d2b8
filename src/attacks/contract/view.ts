import { type Noise, noGrad, operators as ops, type Tensor } from "../../engine/index.js";
import type { Classifier } from "../../nn/classifier.js";

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

/** The mean of what several draws gave: of logits whose softmax the view averages, those of the mean softmax. */
export function meanOfDraws(draws: readonly Tensor[], { mean }: View): Tensor {
  if (draws.length === 1) return draws[0]!;
  if (mean === "loss") return ops.stack(draws, 0).sumDim([0]).div(draws.length);
  const logs = draws.map((logits) => logits.logSoftmax(1));
  return ops.stack(logs, 0).logsumexp([0]);
}

/**
 * Logits (N, classes) of one draw as a view shows them: scaled, and with the gradient of its substitute. `count` is called
 * for every pass. Throws a RangeError when the network has no such substitute.
 */
export function viewedLogits(model: Classifier, view: View, input: Tensor, noise: Noise, count: () => void): Tensor {
  const { through, forward } = view;
  count();
  let logits: Tensor;
  if (through === undefined) logits = model.logits(input, noise);
  else {
    logits = substituteOf(model, through).logits(input, noise);
    if (forward === "own") {
      count();
      const own = noGrad(() => model.logits(input.detach(), noise));
      logits = logits.add(own.sub(logits.detach()));
    }
  }
  return scaled(logits, view);
}

/** Logits times a view's factor. */
export function scaled(logits: Tensor, { scale }: View): Tensor {
  return scale === 1 ? logits : logits.mul(scale);
}

/** The substitute that a view takes gradients through. Throws a RangeError that lists those that the network has. */
function substituteOf(model: Classifier, name: string): Classifier {
  const { substitutes = {} } = model;
  if (Object.hasOwn(substitutes, name)) return substitutes[name]!;
  const names = Object.keys(substitutes);
  const known = names.length === 0 ? "the network has none" : `the network has: ${names.join(", ")}`;
  throw new RangeError(`no substitute "${name}" for gradients; ${known}`);
}

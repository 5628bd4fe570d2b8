import type { Tensor } from "../../../../engine/index.js";
import { sideAxes } from "../values.js";

/** Images of channels last with their channels first. */
export function channelsFirst(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  return x.permute([0, last, ...x.shape.map((_, axis) => axis).slice(1, last)]);
}

/** Images of channels first with their channels last. */
export function channelsLast(x: Tensor): Tensor {
  return x.permute([0, ...sideAxes(x.shape), 1]);
}

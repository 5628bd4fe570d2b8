import * as z from "zod";
import type { Tensor } from "../../engine/index.js";
import type { Target } from "./target.js";

/** Where the labels that an attack leads away from come from. */
export const labelSource = z
  .enum(["given", "predicted"])
  .default("given")
  .describe("lead away from the given, true labels, or from those the network predicts in one draw (no label leaking)");

export type LabelSource = z.output<typeof labelSource>;

/** The labels to lead away from, int64 (N): the true ones, or one draw's predictions (Kurakin et al. 2017, section 3). */
export function labelsFrom(source: LabelSource, target: Target, images: Tensor, labels: Tensor): Tensor {
  return source === "given" ? labels : target.predict(images);
}

import { operators as ops, type Tensor } from "../../engine/index.js";
import type { Target } from "./target.js";

/** Images that go through the network together, where batches are small. */
const imagesPerPass = 256;

/** How many copies of a batch of `count` images go through the network together, of `wanted` copies in all. */
export function copiesPerPass(count: number, wanted: number): number {
  return Math.min(wanted, Math.max(1, Math.floor(imagesPerPass / count)));
}

/** The target and labels of several copies of a batch, one after the other; each copy sees the same noise. */
export function repeated(target: Target, labels: Tensor, times: number): { target: Target; labels: Tensor } {
  const once = ops.arange(0, labels.size, 1, "int64", labels.device);
  const rows = ops.cat(Array.from({ length: times }, () => once));
  return { target: target.rows(rows), labels: labels.indexSelect(0, rows) };
}

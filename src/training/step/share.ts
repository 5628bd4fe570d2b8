import { countText } from "../../base/index.js";
import type { Ranks } from "../../engine/index.js";
import { type Module, unsharedModule } from "../../nn/index.js";
import type { StepPlan } from "./plan.js";

/** Part of a step's images. */
export interface Share {
  readonly positions: Int32Array;
  readonly count: number;
  /** Its part of the whole, in (0, 1]. */
  readonly share: number;
}

/** Images of a step that a rank takes: as many in a row as the others, give or take one. */
export function shareOf(batch: Int32Array, { rank, size }: Pick<Ranks, "rank" | "size">): Share {
  const at = (place: number) => Math.floor((place * batch.length) / size);
  const positions = batch.subarray(at(rank), at(rank + 1));
  return { positions, count: positions.length, share: positions.length / batch.length };
}

/**
 * Throws a RangeError for work that ranks cannot share to the same result: a batch with less than one image
 * for each, or layers that mix the images of a batch in a way of their own.
 */
export function checkShared({ size }: Ranks, plan: StepPlan, network: Module): void {
  if (size === 1) return;
  const { smallestBatch } = plan;
  if (smallestBatch < size) {
    throw new RangeError(
      `a batch of ${countText(smallestBatch, "image")} cannot be shared by ${size} ranks: choose another ` +
        "batch size or limit, so that the last batch of an epoch has enough as well, or fewer ranks",
    );
  }
  const unshared = unsharedModule(network);
  if (unshared === undefined) return;
  throw new RangeError(
    `${unshared.constructor.name} mixes the images of a batch, of which each of ${size} ranks has only a ` +
      "part: train in one process",
  );
}

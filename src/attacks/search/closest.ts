import { operators as ops, scope, type Tensor } from "../../engine/index.js";
import { perImage } from "../geometry/perturbation-length.js";

/** The closest success of each image so far; the image as it was, at an infinite distance, where there is none. */
export class Closest {
  readonly images: Tensor;
  /** In whatever measure the attack minimizes, (N). */
  readonly distances: Tensor;

  constructor(images: Tensor, distances?: Tensor) {
    this.images = images.clone();
    this.distances = distances ?? ops.full([images.shape[0]!], Number.POSITIVE_INFINITY, "float32", images.device);
  }

  /** A copy of some rows, int64 indices (M). */
  rows(indices: Tensor): Closest {
    return new Closest(this.images.indexSelect(0, indices), this.distances.indexSelect(0, indices));
  }

  /** Puts rows that `rows` took back in their places. */
  replaceRows(indices: Tensor, rows: Closest): void {
    scope(() => {
      this.images.copy_(this.images.indexCopy(0, indices, rows.images));
      this.distances.copy_(this.distances.indexCopy(0, indices, rows.distances));
    });
  }

  /** Keeps those candidates (N, C, H, W) that succeeded, bool (N), and are closer than what there was. */
  keep(candidates: Tensor, distances: Tensor, success: Tensor): void {
    scope(() => {
      const closer = success.logicalAnd(distances.lt(this.distances));
      this.distances.copy_(ops.where(closer, distances, this.distances));
      this.images.copy_(ops.where(perImage(closer), candidates, this.images));
    });
  }
}

import { operators as ops, scope, type Tensor } from "../../engine/index.js";

/**
 * The binary search of the constant that weighs each image's margin against its distance (Carlini and Wagner 2017, section
 * V.D): halves the gap after a success, and grows tenfold until there is one.
 */
export class ConstantSearch {
  /** The constants to try next, (N). */
  readonly constants: Tensor;
  readonly #lower: Tensor;
  readonly #upper: Tensor;

  constructor(images: Tensor, initial: number) {
    this.constants = ops.full([images.shape[0]!], initial, "float32", images.device);
    this.#lower = this.constants.zerosLike();
    this.#upper = this.constants.fullLike(Number.POSITIVE_INFINITY);
  }

  /** Takes note of the images, bool (N), whose constants led to a success. */
  update(success: Tensor): void {
    scope(() => {
      const { constants } = this;
      this.#upper.copy_(ops.where(success, this.#upper.minimum(constants), this.#upper));
      this.#lower.copy_(ops.where(success, this.#lower, this.#lower.maximum(constants)));
      const middle = this.#lower.add(this.#upper).div(2);
      constants.copy_(ops.where(this.#upper.isfinite(), middle, constants.mul(10)));
    });
  }
}

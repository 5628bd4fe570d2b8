import { scope, type Tensor, uniform } from "../../engine/index.js";
import { Module, type Pass } from "../module.js";
import type { OnnxEdge } from "../onnx-sketch.js";
import { checkFinite } from "./arguments.js";

/**
 * Dropout (Srivastava et al. 2014), in training only: each element becomes 0 with probability p, else element
 * / (1 - p).
 *
 * The draws are keyed by the pass: seed, draw, image id, and a stream that this layer has to itself in its
 * network. So an image is given the same in any batch, and a resumed run goes on to the bit. A layer that a
 * network applies twice in a pass drops the same elements twice: give each place a layer of its own.
 *
 * @param p The share of elements that become 0, in [0, 1).
 * @example new Dropout(0.2);
 */
export class Dropout extends Module {
  constructor(readonly p: number) {
    super();
    checkFinite("p", p, "in [0, 1)", (value) => value >= 0 && value < 1);
  }

  override get differsInTraining(): boolean {
    return this.p > 0;
  }

  protected override forward(input: Tensor, { training, noise }: Pass): Tensor {
    if (!training || this.p === 0) return input;
    const [images, ...shape] = input.shape;
    return scope(() => {
      const draws = uniform(noise, shape, this.noiseStream);
      if (images !== draws.shape[0]) {
        throw new RangeError(`a batch of ${images} images needs as many image ids, not ${draws.shape[0]}`);
      }
      // The factor last: rounded to bfloat16 by itself, it would make all outputs too large or too small.
      return input.mul(draws.ge(this.p).to(input.dtype)).mul(1 / (1 - this.p));
    });
  }

  protected override onnx(input: OnnxEdge): OnnxEdge {
    return input;
  }
}

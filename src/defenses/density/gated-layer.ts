import type { Seed } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";
import { Conv2d, Module, type Pass } from "../../nn/index.js";

/** Halves of the channels of a tensor. */
export function halves(input: Tensor): [Tensor, Tensor] {
  const channels = input.shape[1]!;
  return [input.slice(1, 0, channels / 2), input.slice(1, channels / 2, channels)];
}

/** Gated activation (van den Oord et al. 2016, equation 2): half of the channels, gated by the others. */
export function gated(input: Tensor): Tensor {
  const [values, gates] = halves(input);
  return values.tanh().mul(gates.sigmoid());
}

/**
 * Layer of a Gated PixelCNN (van den Oord et al. 2016, section 2.3). Of its input's channels the first half
 * are the vertical stack's, which has seen the rows above; the others the horizontal stack's, which has seen
 * the pixels to the left, too. Both stacks have residual connections.
 */
export class GatedLayer extends Module {
  readonly vertical: Conv2d;
  readonly link: Conv2d;
  readonly horizontal: Conv2d;
  readonly mix: Conv2d;

  constructor(filters: number, seed: number | Seed) {
    super();
    this.vertical = new Conv2d(filters, 2 * filters, [2, 3], { seed });
    this.link = new Conv2d(2 * filters, 2 * filters, 1, { seed });
    this.horizontal = new Conv2d(filters, 2 * filters, [1, 2], { seed });
    this.mix = new Conv2d(filters, filters, 1, { seed });
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const [above, left] = halves(input);
    const rows = this.vertical.apply(above.constantPad([1, 1, 1, 0]), pass);
    const pixels = this.horizontal.apply(left.constantPad([1, 0]), pass).add(this.link.apply(rows, pass));
    return ops.cat([above.add(gated(rows)), left.add(this.mix.apply(gated(pixels), pass))], 1);
  }
}

/** A convolution of one row as a product of matrices: weight (filters, width * channels), and bias. */
export interface RowProduct {
  readonly weight: Tensor;
  readonly bias: Tensor | null;
}

/** Product that a convolution with a kernel of one row amounts to, on pixels whose channels lie together. */
export function rowProduct({ weight, bias }: Conv2d): RowProduct {
  return { weight: weight.detach().permute([0, 2, 3, 1]).flatten(1).contiguous(), bias };
}

export function multiplied(input: Tensor, { weight, bias }: RowProduct): Tensor {
  return ops.linear(input, weight, bias);
}

import type { Seed } from "../../base/index.js";
import { operators as ops, type Tensor } from "../../engine/index.js";
import { Conv2d, Module, type Pass, Sequential } from "../../nn/index.js";
import { GatedLayer, halves } from "./gated-layer.js";
import { centered, mixtureNumbers } from "./logistic-mixture.js";

/** Sizes of a density model. */
export interface PixelCnnSizes {
  readonly channels: number;
  readonly filters: number;
  readonly layers: number;
  readonly mixtures: number;
}

/** Pixels above and beside a pixel that the first convolutions see. */
export const reach = 3;

/** Images of levels, centered, with a channel of ones that tells pixels from the padding around them. */
export function withOnes(levels: Tensor): Tensor {
  const pixels = centered(levels);
  return ops.cat([pixels, pixels.slice(1, 0, 1).onesLike()], 1);
}

/**
 * Gated PixelCNN (van den Oord et al. 2016) whose pixels are mixtures of logistics, as in PixelCNN++
 * (Salimans et al. 2017): levels (N, C, H, W) to the numbers of each pixel's distribution, (N, numbers, H,
 * W), which depend on the pixels before it alone, in the order of rows.
 */
// paper: PixelDefend's is PixelCNN++, of 160 filters, with down- and upsampling and dropout.
export class PixelCnn extends Module {
  readonly above: Conv2d;
  readonly left: Conv2d;
  readonly layers: Sequential;
  readonly hidden: Conv2d;
  readonly numbers: Conv2d;

  constructor(
    readonly sizes: PixelCnnSizes,
    seed: number | Seed,
  ) {
    super();
    const { channels, filters, layers, mixtures } = sizes;
    this.above = new Conv2d(channels + 1, filters, [reach, 2 * reach + 1], { seed });
    this.left = new Conv2d(channels + 1, filters, [1, reach], { seed });
    const list = Array.from(
      { length: layers },
      (_, i) => [String(i), new GatedLayer(filters, seed)] as const,
    );
    this.layers = new Sequential(list);
    this.hidden = new Conv2d(filters, 2 * filters, 1, { seed });
    this.numbers = new Conv2d(2 * filters, mixtureNumbers(channels, mixtures), 1, { seed });
  }

  /** Gated layers in their order. */
  get gatedLayers(): GatedLayer[] {
    return this.layers.namedChildren().map(([, layer]) => layer as GatedLayer);
  }

  protected override forward(levels: Tensor, pass: Pass): Tensor {
    const [, , height, width] = levels.shape as [number, number, number, number];
    const input = withOnes(levels);
    // The last row and column of each are those of the pixel below, or to the right of, the image.
    const above = this.above.apply(input.constantPad([reach, reach, reach, 0]), pass).slice(2, 0, height);
    const left = this.left.apply(input.constantPad([reach, 0]), pass).slice(3, 0, width);
    const [, last] = halves(this.layers.apply(ops.cat([above, left], 1), pass));
    return this.numbers.apply(this.hidden.apply(last.elu(), pass).elu(), pass);
  }
}

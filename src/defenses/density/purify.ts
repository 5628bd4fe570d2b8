import { noGrad, operators as ops, scope, type Tensor } from "../../engine/index.js";
import type { Pass } from "../../nn/index.js";
import { gated, multiplied, type RowProduct, rowProduct } from "./gated-layer.js";
import { centered, highestLevel, likeliestLevels } from "./logistic-mixture.js";
import { type PixelCnn, reach } from "./pixel-cnn.js";

/** Convolutions of one row, as products that are made pixel by pixel. */
interface Products {
  readonly left: RowProduct;
  readonly layers: readonly { readonly horizontal: RowProduct; readonly mix: RowProduct }[];
  readonly hidden: RowProduct;
  readonly numbers: RowProduct;
}

function productsOf(density: PixelCnn): Products {
  return {
    left: rowProduct(density.left),
    layers: density.gatedLayers.map(({ horizontal, mix }) => ({
      horizontal: rowProduct(horizontal),
      mix: rowProduct(mix),
    })),
    hidden: rowProduct(density.hidden),
    numbers: rowProduct(density.numbers),
  };
}

/** Vertical stack of one row. */
interface Row {
  /** Share of each layer in the horizontal stack, (W, N, 2 * filters). */
  readonly links: readonly Tensor[];
  /** Input of each layer, for the row below. */
  readonly above: readonly Tensor[];
}

/** Vertical stack of the row below `before`, out of the rows of pixels above it, (N, C + 1, reach, W + 6). */
function nextRow(density: PixelCnn, window: Tensor, before: Row | undefined, pass: Pass): Row {
  let stack = density.above.apply(window, pass);
  const links: Tensor[] = [];
  const above: Tensor[] = [];
  for (const [i, layer] of density.gatedLayers.entries()) {
    const higher = before?.above[i] ?? stack.zerosLike();
    const rows = layer.vertical.apply(ops.cat([higher, stack], 2).constantPad([1, 1]), pass);
    links.push(layer.link.apply(rows, pass).select(2, 0).permute([2, 0, 1]).contiguous());
    above.push(stack);
    stack = stack.add(gated(rows));
  }
  return { links, above };
}

/** Horizontal stack of one pixel: its numbers, and what each layer keeps for the pixel to the right. */
function nextPixel(
  { left, layers, hidden, numbers }: Products,
  pixels: Tensor,
  before: readonly Tensor[] | undefined,
  links: readonly Tensor[],
): { readonly numbers: Tensor; readonly kept: readonly Tensor[] } {
  let stack = multiplied(pixels, left);
  const kept: Tensor[] = [];
  for (const [i, { horizontal, mix }] of layers.entries()) {
    const pair = ops.cat([before?.[i] ?? stack.zerosLike(), stack], 1);
    kept.push(stack);
    stack = stack.add(multiplied(gated(multiplied(pair, horizontal).add(links[i]!)), mix));
  }
  return { numbers: multiplied(multiplied(stack.elu(), hidden).elu(), numbers), kept };
}

/**
 * Images (N, C, H, W) in [0, 1] brought to where the density is high (PixelDefend, Algorithm 1): pixel after
 * pixel, row by row, each channel becomes the likeliest level within `radius` levels of its own, given the
 * pixels that were purified before.
 *
 * That is one pass of the density model a pixel. What does not change from pixel to pixel is kept, as in fast
 * sampling (Ramachandran et al. 2017), so that all of them together cost about one pass of the whole image.
 */
// paper: levels are rounded to the nearest; the published code rounds down.
export function purified(density: PixelCnn, images: Tensor, radius: number, pass: Pass): Tensor {
  // Levels are chosen by small differences: never in a coarser precision.
  const exact = { ...pass, precision: undefined };
  return noGrad(() => scope(() => purifiedRows(density, images.detach(), radius, exact)));
}

function purifiedRows(density: PixelCnn, images: Tensor, radius: number, pass: Pass): Tensor {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const levels = images.mul(highestLevel).round().clamp(0, highestLevel);
  const offsets = ops.arange(-radius, radius + 1, 1, "float32", images.device);
  const products = productsOf(density);
  // Channels last: the pixels to the left of one then lie together.
  const shape = [count, height + reach, width + 2 * reach, channels + 1];
  const canvas = ops.zeros(shape, "float32", images.device);
  let row: Row | undefined;
  for (let y = 0; y < height; y++) {
    row = scope(() => {
      const window = canvas.slice(1, y, y + reach).permute([0, 3, 1, 2]);
      const found = nextRow(density, window, row, pass);
      const line = canvas.select(1, y + reach);
      const given = levels.select(2, y);
      purifyRow(products, line, given, found, offsets);
      return found;
    });
  }
  const inside = canvas
    .slice(1, reach)
    .slice(2, reach, reach + width)
    .slice(3, 0, channels);
  const purifiedLevels = inside
    .add(1)
    .mul(highestLevel / 2)
    .round();
  return purifiedLevels.div(highestLevel).permute([0, 3, 1, 2]).contiguous();
}

/** Purifies a row of levels (N, C, W) into a line of the canvas, (N, W + 6, C + 1). */
function purifyRow(products: Products, line: Tensor, given: Tensor, { links }: Row, offsets: Tensor): void {
  const [, channels, width] = given.shape as [number, number, number];
  let kept: readonly Tensor[] | undefined;
  for (let x = 0; x < width; x++) {
    kept = scope(() => {
      const pixels = line.slice(1, x, x + reach).flatten(1);
      const pixel = nextPixel(
        products,
        pixels,
        kept,
        links.map((link) => link.select(0, x)),
      );
      const chosen = likeliestLevels(pixel.numbers, given.select(2, x), offsets);
      const place = line.select(1, x + reach);
      place.slice(1, 0, channels).copy_(centered(ops.cat(chosen, 1)));
      place.slice(1, channels).copy_(chosen[0]!.onesLike());
      return pixel.kept;
    });
  }
}

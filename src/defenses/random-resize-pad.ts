import * as z from "zod";
import { keep, noGrad, operators as ops, scope, type Tensor, tensor, uniform } from "../engine/index.js";
import { Module, type Pass } from "../nn/index.js";
import { defineDefense } from "./defense.js";

/** Pixel of a side of `from` pixels that pixel `at` of the side of `to` pixels shows: the nearest. */
const nearest = (at: number, from: number, to: number) => Math.floor((at * from) / to);

/**
 * Mean over all offsets of the matrices that make a side `shrink` pixels shorter and pad it to its length:
 * row-major, `side` x `side`.
 */
function meanMatrix(side: number, shrink: number): Float32Array {
  const values = new Float32Array(side * side);
  for (let offset = 0; offset <= shrink; offset++) {
    for (let at = 0; at < side - shrink; at++) {
      const cell = (offset + at) * side + nearest(at, side, side - shrink);
      values[cell]! += 1 / (shrink + 1);
    }
  }
  return values;
}

/** Random resizing and padding of images (N, C, H, W), which keeps their shape. */
class ResizeAndPad extends Module {
  /** Mean matrices of both sides for each shrinkage, by side and device: made once. */
  readonly #means = new Map<string, Tensor>();

  constructor(readonly shrink: number) {
    super();
  }

  override get randomized(): boolean {
    return true;
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const [height, width] = input.shape.slice(2) as [number, number];
    if (pass.noiseFree) return this.#mean(input);
    const [rows, columns] = noGrad(() =>
      scope(() => {
        const draws = uniform(pass.noise, [3], this.noiseStream);
        const shrink = draws
          .select(1, 0)
          .mul(this.shrink + 1)
          .floor();
        const matrix = (side: number, draw: number) =>
          sideMatrices(side, shrink, draws.select(1, draw).mul(shrink.add(1)).floor());
        return [matrix(height, 1), matrix(width, 2)];
      }),
    );
    return resized(input, rows!, columns!);
  }

  /** Mean over all draws, exactly. */
  #mean(input: Tensor): Tensor {
    const [height, width] = input.shape.slice(2) as [number, number];
    let sum: Tensor | undefined;
    for (let shrink = 0; shrink <= this.shrink; shrink++) {
      const [rows, columns] = [height, width].map((side) => this.#meanMatrix(side, shrink, input.device));
      const one = resized(input, rows!, columns!);
      sum = sum === undefined ? one : sum.add(one);
    }
    return sum!.div(this.shrink + 1);
  }

  #meanMatrix(side: number, shrink: number, device: string): Tensor {
    const key = `${side} ${shrink} ${device}`;
    const known = this.#means.get(key);
    if (known !== undefined) return known;
    const made = keep(
      scope(() => tensor(meanMatrix(side, shrink), [side, side]).toDevice(device, "float32")),
    );
    this.#means.set(key, made);
    return made;
  }
}

/** Matrices (N, 1, side, side) that make a side shorter by `shrink` (N) and put it at `offset` (N). */
function sideMatrices(side: number, shrink: Tensor, offset: Tensor): Tensor {
  const pixels = ops.arange(0, side, 1, "float32", shrink.device);
  const length = shrink.neg().add(side).unsqueeze(1);
  const at = pixels.unsqueeze(0).sub(offset.unsqueeze(1));
  const inside = at.ge(0).logicalAnd(at.lt(length));
  const source = at.mul(side).div(length).floor();
  const shown = source.unsqueeze(2).eq(pixels.reshape([1, 1, side]));
  return shown.logicalAnd(inside.unsqueeze(2)).to("float32").unsqueeze(1);
}

function resized(input: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const dims = columns.shape.length;
  return rows.matmul(input).matmul(columns.permute([...Array(dims - 2).keys(), dims - 1, dims - 2]));
}

/**
 * Random resizing and padding (Xie et al. 2018): each image is resized to a random size, by the nearest
 * pixel, and padded with zeros at a random place. Its noise-free model has the exact mean of all draws.
 *
 * Athalye et al. (2018) left 0 % by averaging gradients over 30 draws.
 *
 * @example
 * randomResizePad({ shrink: 4 })
 */
// paper: resizes 299 pixels to 299 .. 330 and pads to 331. Here the padded image keeps the size of the given
// one, so that every model takes it, and the share of the smallest size is about the same.
export const randomResizePad = defineDefense("random-resize-pad", {
  summary: "random resizing and padding of the image",
  options: z.strictObject({
    shrink: z
      .int()
      .min(1)
      .max(1024)
      .optional()
      .describe("pixels by which it makes a side shorter, at most (default: an eighth of the side)"),
  }),
  create: ({ shrink }) => ({
    randomized: true,
    advice: "average gradients over 30 draws, and attack the mean image as well",
    apply({ name, inputShape: [, height, width], module }) {
      const side = Math.min(height, width);
      const most = shrink ?? Math.ceil(side / 8);
      if (most >= side) {
        throw new RangeError(
          `model ${name}: random-resize-pad cannot shrink ${height} x ${width} pixels by ${most}; ` +
            `give shrink in 1 .. ${side - 1}`,
        );
      }
      module.inputTransforms.unshift(new ResizeAndPad(most));
    },
    surrogates: (model) => ({ "noise-free": model.classifier({ noiseFree: true }) }),
  }),
});

import * as z from "zod";
import { keep, noGrad, operators as ops, scope, type Tensor, tensor, uniform } from "../engine/index.js";
import { attribute, Module, type OnnxEdge, type OnnxSketch, type Pass } from "../nn/index.js";
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

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    return sketch.noiseFree ? onnxMean(input, this.shrink, sketch) : onnxDrawn(input, this.shrink, sketch);
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
 * Adds the drawing of sizes and places to a graph in ONNX's operators. A pixel shows another where (place -
 * offset) * side lies in [other, other + 1) * length: whole numbers alone, which no runtime rounds.
 */
function onnxDrawn(input: OnnxEdge, most: number, sketch: OnnxSketch): OnnxEdge {
  const [, height, width] = input.shape as [number, number, number];
  const node = (operator: string, ...inputs: (OnnxEdge | string)[]) => sketch.node(operator, inputs);
  const first = { axis: attribute.int(0) };
  const images = sketch.node("Shape", [input], { start: attribute.int(0), end: attribute.int(1) });
  const shape = sketch.node("Concat", [images, sketch.whole([3, 1, 1])], first);
  // One node draws all: runtimes may begin those of several nodes at neighboring seeds.
  const draws = node("RandomUniformLike", node("Expand", sketch.constant(0), shape));
  const upTo = (largest: OnnxEdge | string, draw: number) => {
    const given = sketch.node("Gather", [draws, sketch.whole([draw])], { axis: attribute.int(1) });
    return node("Min", node("Floor", node("Mul", given, node("Add", largest, sketch.constant(1)))), largest);
  };
  const shrink = upTo(sketch.constant(most), 0);
  const matrix = (side: number, draw: number, [shown, source]: readonly [number[], number[]]) => {
    const pixels = [...Array(side).keys()];
    const length = node("Sub", sketch.constant(side), shrink);
    const place = node("Sub", sketch.constant(pixels, shown), upTo(shrink, draw));
    const scaled = node("Mul", place, sketch.constant(side));
    const begin = node("Mul", length, sketch.constant(pixels, source));
    const isFrom = node("GreaterOrEqual", scaled, begin);
    const isBefore = node("Less", scaled, node("Add", begin, length));
    return sketch.cast(node("And", isFrom, isBefore), "float32");
  };
  const rows = matrix(height, 1, [[height, 1], [height]]);
  const columns = matrix(width, 2, [[width], [width, 1]]);
  const down = sketch.node("MatMul", [rows, input], {}, input.shape);
  return sketch.node("MatMul", [down, columns], {}, input.shape);
}

/** Adds the mean over all draws to a graph: the matrices of all sizes in a row, as one. */
function onnxMean(input: OnnxEdge, most: number, sketch: OnnxSketch): OnnxEdge {
  const [channels, height, width] = input.shape as [number, number, number];
  const sizes = most + 1;
  const inTurn = (side: number, turned: boolean) => {
    const values = new Float32Array(side * sizes * side);
    for (let shrink = 0; shrink < sizes; shrink++) {
      for (const [i, value] of meanMatrix(side, shrink).entries()) {
        const [shown, source] = [Math.floor(i / side), i % side];
        const [row, column] = turned ? [source, shown] : [shown, source];
        values[(row * sizes + shrink) * side + column] = value;
      }
    }
    return sketch.weight(tensor(values, [side, sizes * side]));
  };
  const along = sketch.node("MatMul", [input, inTurn(width, true)]);
  const apart = sketch.node("Reshape", [along, sketch.whole([0, channels, height, sizes, width])]);
  const stacked = sketch.node("Transpose", [apart], { perm: attribute.ints([0, 1, 3, 2, 4]) });
  const tall = sketch.node("Reshape", [stacked, sketch.whole([0, channels, sizes * height, width])]);
  const sum = sketch.node("MatMul", [inTurn(height, false), tall]);
  return sketch.node("Div", [sum, sketch.constant(sizes)], {}, input.shape);
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
      .describe("largest number of pixels by which a side shrinks (default: an eighth of the side)"),
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

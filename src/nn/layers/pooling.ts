import { operators as ops, type Tensor } from "../../engine/index.js";
import type { OnnxAttribute } from "../../files/index.js";
import { Module } from "../module.js";
import { attribute, type OnnxEdge, type OnnxSketch } from "../onnx-sketch.js";
import { checkOptions, type Pair, pairOf, type Size2d, windowSides } from "./arguments.js";

/** The way that a pooling window goes over an image. */
interface WindowSteps {
  /** Pixels from one window to the next; the window's own size when left out. */
  readonly stride?: Size2d;
  /** Pixels added on each side of the image, at most half a window; 0 when left out. */
  readonly padding?: Size2d;
}

export interface MaxPool2dOptions extends WindowSteps {
  /** Pixels between two neighbors of the window; 1 when left out. */
  readonly dilation?: Size2d;
}

export interface AvgPool2dOptions extends WindowSteps {
  /** Count the zeros of the padding as pixels; true when left out. */
  readonly countPadding?: boolean;
}

/** A layer that makes a number of each window of each channel: (N, C, H, W) to (N, C, H', W'). */
abstract class WindowPool extends Module {
  readonly window: Pair;
  readonly stride: Pair;
  readonly padding: Pair;

  constructor(window: Size2d, { stride = window, padding = 0 }: WindowSteps) {
    super();
    this.window = pairOf("window", window, 1);
    this.stride = pairOf("stride", stride, 1);
    this.padding = pairOf("padding", padding, 0);
    // libtorch's own limit: a window must not lie in the padding alone.
    if (this.padding.some((side, axis) => 2 * side > this.window[axis]!)) {
      throw new RangeError(
        `padding must be at most half the window [${this.window.join(", ")}], not ` +
          `[${this.padding.join(", ")}]`,
      );
    }
  }

  /** Adds an operator that goes over windows to a graph. */
  protected onnxWindows(
    operator: string,
    input: OnnxEdge,
    sketch: OnnxSketch,
    others: Readonly<Record<string, OnnxAttribute>>,
    dilation: Pair = [1, 1],
  ): OnnxEdge {
    const { window, stride, padding } = this;
    const attributes = {
      kernel_shape: attribute.ints(window),
      strides: attribute.ints(stride),
      pads: attribute.ints([...padding, ...padding]),
      ...others,
    };
    const [channels, ...image] = input.shape as [number, number, number];
    const sides = windowSides(image, window, { stride, padding, dilation });
    return sketch.node(operator, [input], attributes, [channels, ...sides]);
  }
}

/**
 * Maximum over windows, which do not overlap unless `stride` says so.
 *
 * @param window Side of the window, or its height and width.
 * @example new MaxPool2d(3, { stride: 2, padding: 1 });
 */
export class MaxPool2d extends WindowPool {
  readonly dilation: Pair;

  constructor(window: Size2d, options: MaxPool2dOptions = {}) {
    checkOptions("MaxPool2d", options, ["stride", "padding", "dilation"]);
    super(window, options);
    this.dilation = pairOf("dilation", options.dilation ?? 1, 1);
  }

  protected override forward(input: Tensor): Tensor {
    return ops.maxPool2d(input, this.window, this.stride, this.padding, this.dilation);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const others = { dilations: attribute.ints(this.dilation) };
    return this.onnxWindows("MaxPool", input, sketch, others, this.dilation);
  }
}

/**
 * Mean over windows, which do not overlap unless `stride` says so.
 *
 * @param window Side of the window, or its height and width.
 * @example new AvgPool2d(2);
 */
export class AvgPool2d extends WindowPool {
  readonly countPadding: boolean;

  constructor(window: Size2d, options: AvgPool2dOptions = {}) {
    checkOptions("AvgPool2d", options, ["stride", "padding", "countPadding"]);
    super(window, options);
    this.countPadding = options.countPadding ?? true;
  }

  protected override forward(input: Tensor): Tensor {
    return ops.avgPool2d(input, this.window, this.stride, this.padding, false, this.countPadding);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const others = { count_include_pad: attribute.int(this.countPadding ? 1 : 0) };
    return this.onnxWindows("AveragePool", input, sketch, others);
  }
}

/**
 * Mean over as many windows as the output has pixels, for images of any size: (N, C, H, W) to (N, C, height,
 * width).
 *
 * @param output Side of the output, or its height and width.
 * @example new AdaptiveAvgPool2d(1);
 */
export class AdaptiveAvgPool2d extends Module {
  readonly output: Pair;

  constructor(output: Size2d) {
    super();
    this.output = pairOf("output", output, 1);
  }

  protected override forward(input: Tensor): Tensor {
    return ops.adaptiveAvgPool2d(input, this.output);
  }

  // ONNX has no such operator: the means of each axis are products with a matrix of shares.
  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const [channels, height, width] = input.shape as [number, number, number];
    const [rows, columns] = this.output;
    const down = sketch.constant(sharesOf(height, rows), [rows, height]);
    const along = sketch.constant(transposed(sharesOf(width, columns), columns), [width, columns]);
    const narrow = sketch.node("MatMul", [input, along], {}, [channels, height, columns]);
    return sketch.node("MatMul", [down, narrow], {}, [channels, rows, columns]);
  }
}

/** Mean of each channel: (N, C, H, W) to (N, C), for images of any size. */
export class GlobalAveragePool extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.meanDim([2, 3]);
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const attributes = { axes: attribute.ints([2, 3]), keepdims: attribute.int(0) };
    return sketch.node("ReduceMean", [input], attributes, input.shape.slice(0, 1));
  }
}

/** Share of each of `side` pixels in each of `means` windows of adaptive pooling, a row a window. */
function sharesOf(side: number, means: number): number[] {
  return Array.from({ length: means }, (_, window) => {
    const first = Math.floor((window * side) / means);
    const end = Math.ceil(((window + 1) * side) / means);
    return Array.from({ length: side }, (_, at) => (at >= first && at < end ? 1 / (end - first) : 0));
  }).flat();
}

/** A matrix of `rows` rows with its columns as rows. */
function transposed(values: readonly number[], rows: number): number[] {
  const columns = values.length / rows;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

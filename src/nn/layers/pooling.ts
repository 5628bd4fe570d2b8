import { operators as ops, type Tensor } from "../../engine/index.js";
import { Module } from "../module.js";
import { checkOptions, type Pair, pairOf, type Size2d } from "./arguments.js";

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
}

/** Mean of each channel: (N, C, H, W) to (N, C), for images of any size. */
export class GlobalAveragePool extends Module {
  protected override forward(input: Tensor): Tensor {
    return input.meanDim([2, 3]);
  }
}

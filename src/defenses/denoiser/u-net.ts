import type { Seed } from "../../base/index.js";
import { keep, operators as ops, scope, type Tensor, tensor } from "../../engine/index.js";
import {
  attribute,
  BatchNorm2d,
  Conv2d,
  Module,
  type OnnxEdge,
  type OnnxSketch,
  type Pass,
  ReLU,
  Sequential,
} from "../../nn/index.js";

/** Sizes of a denoiser. */
export interface UNetSizes {
  readonly channels: number;
  /** Filters at the images' own size; each halving doubles them. */
  readonly width: number;
}

/** Two convolutions with batch normalization and ReLU; the first may halve the sides. */
function block(from: number, to: number, stride: number, seed: number | Seed): Sequential {
  return new Sequential({
    conv1: new Conv2d(from, to, 3, { padding: 1, stride, bias: false, seed }),
    bn1: new BatchNorm2d(to),
    relu1: new ReLU(),
    conv2: new Conv2d(to, to, 3, { padding: 1, bias: false, seed }),
    bn2: new BatchNorm2d(to),
    relu2: new ReLU(),
  });
}

/**
 * Denoiser of images (Liao et al. 2018, section 4.1, DUNET): a U-Net that answers with what must be added to
 * the image, so that it begins near the image itself. Takes and gives (N, C, H, W).
 */
// paper: halves four times, with three convolutions in a block; here twice, with two.
export class UNet extends Module {
  readonly whole: Sequential;
  readonly half: Sequential;
  readonly quarter: Sequential;
  readonly upHalf: Sequential;
  readonly upWhole: Sequential;
  readonly noise: Conv2d;
  /** Matrices of interpolation by their sides and device: made once. */
  readonly #sides = new Map<string, Tensor>();

  constructor({ channels, width }: UNetSizes, seed: number | Seed) {
    super();
    this.whole = block(channels, width, 1, seed);
    this.half = block(width, 2 * width, 2, seed);
    this.quarter = block(2 * width, 4 * width, 2, seed);
    this.upHalf = block(6 * width, 2 * width, 1, seed);
    this.upWhole = block(3 * width, width, 1, seed);
    this.noise = new Conv2d(width, channels, 1, { seed });
  }

  protected override forward(input: Tensor, pass: Pass): Tensor {
    const whole = this.whole.apply(input, pass);
    const half = this.half.apply(whole, pass);
    const quarter = this.quarter.apply(half, pass);
    const upHalf = this.upHalf.apply(ops.cat([this.#enlarged(quarter, half), half], 1), pass);
    const upWhole = this.upWhole.apply(ops.cat([this.#enlarged(upHalf, whole), whole], 1), pass);
    return input.add(this.noise.apply(upWhole, pass));
  }

  protected override onnx(input: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
    const whole = this.whole.toOnnx(input, sketch);
    const half = this.half.toOnnx(whole, sketch);
    const quarter = this.quarter.toOnnx(half, sketch);
    const upHalf = this.upHalf.toOnnx(onnxJoined(quarter, half, sketch), sketch);
    const upWhole = this.upWhole.toOnnx(onnxJoined(upHalf, whole, sketch), sketch);
    return sketch.node("Add", [input, this.noise.toOnnx(upWhole, sketch)]);
  }

  /** Activations (N, C, h, w) brought to the sides of others, bilinearly. */
  #enlarged(input: Tensor, { shape }: Tensor): Tensor {
    const rows = this.#side(input.shape[2]!, shape[2]!, input.device);
    const columns = this.#side(input.shape[3]!, shape[3]!, input.device);
    return rows.matmul(input).matmul(columns.permute([1, 0]));
  }

  #side(from: number, to: number, device: string): Tensor {
    const key = `${from} ${to} ${device}`;
    const known = this.#sides.get(key);
    if (known !== undefined) return known;
    const values = interpolation(from, to);
    const made = keep(scope(() => tensor(values, [to, from]).toDevice(device, "float32")));
    this.#sides.set(key, made);
    return made;
  }
}

/** Adds to a graph: activations enlarged to the sides of others, whose channels come behind theirs. */
function onnxJoined(small: OnnxEdge, others: OnnxEdge, sketch: OnnxSketch): OnnxEdge {
  const [channels, height, width] = small.shape as [number, number, number];
  const [more, rows, columns] = others.shape as [number, number, number];
  const down = sketch.constant([...interpolation(height, rows)], [rows, height]);
  const along = sketch.constant([...interpolation(width, columns)], [columns, width]);
  const turned = sketch.node("Transpose", [along], { perm: attribute.ints([1, 0]) });
  const wide = sketch.node("MatMul", [small, turned], {}, [channels, height, columns]);
  const large = sketch.node("MatMul", [down, wide], {}, [channels, rows, columns]);
  const shape = [channels + more, rows, columns];
  return sketch.node("Concat", [large, others], { axis: attribute.int(1) }, shape);
}

/** Matrix (to, from) of bilinear interpolation along a side, between the centers of pixels. */
function interpolation(from: number, to: number): Float32Array {
  const values = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, from - 1);
    values[i * from + below]! += 1 - (at - below);
    values[i * from + above]! += at - below;
  }
  return values;
}

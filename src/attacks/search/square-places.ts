import { operators as ops, type Tensor } from "../../engine/index.js";

/**
 * The pixels of a square of `side` in each of M images (M, C, H, W), row by row: places in H * W, int64 (M, C, side^2), the
 * same in each channel. Two uniforms (M, 1, 1) place it; every position is as likely, the last ones included.
 */
export function squarePixels(u: Tensor, v: Tensor, side: number, images: Tensor): Tensor {
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const first = u
    .mul(height - side + 1)
    .floor()
    .mul(width)
    .add(v.mul(width - side + 1).floor());
  const line = ops.arange(0, side, 1, "float32", images.device);
  const offsets = line
    .mul(width)
    .unsqueeze(1)
    .add(line)
    .reshape([1, 1, side * side]);
  return first
    .add(offsets)
    .to("int64")
    .expand([count, channels, side * side]);
}

/** -1 or 1 of uniforms in [0, 1). */
export function signs(uniforms: Tensor): Tensor {
  return uniforms.ge(0.5).to("float32").mul(2).sub(1);
}

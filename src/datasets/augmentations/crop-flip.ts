import * as z from "zod";
import { countedUniform, type Noise, operators as ops, scope, type Tensor } from "../../engine/index.js";
import { defineAugmentation } from "./augmentation.js";

/** The shift of each image in one direction, (N): whole numbers in -padding .. padding, of uniforms (N). */
function shifts(uniforms: Tensor, padding: number): Tensor {
  return uniforms
    .mul(2 * padding + 1)
    .floor()
    .sub(padding)
    .to("int64");
}

/** Positions 0 .. size - 1 moved by each image's shift, (N, size), and which of them lie in the image. */
function moved(size: number, shift: Tensor): { at: Tensor; inside: Tensor } {
  const positions = ops.arange(0, size, 1, "int64", shift.device).unsqueeze(0).add(shift.unsqueeze(1));
  return { at: positions.clamp(0, size - 1), inside: positions.ge(0).logicalAnd(positions.lt(size)) };
}

/**
 * Each image moved by up to `padding` pixels, black coming in, and mirrored half of the time: uniforms 0, 1
 * and 2 decide.
 */
function cropAndFlip(
  images: Tensor,
  noise: Noise,
  { padding, flip }: { padding: number; flip: boolean },
): Tensor {
  return scope(() => {
    const [count, channels, height, width] = images.shape as [number, number, number, number];
    const uniforms = countedUniform(noise, 0, [3]);
    const rows = moved(height, shifts(uniforms.select(1, 0), padding));
    const columns = moved(width, shifts(uniforms.select(1, 1), padding));
    const mirrored = uniforms.select(1, 2).lt(0.5).unsqueeze(1);
    const mirror = (tensor: Tensor) => (flip ? ops.where(mirrored, tensor.flip([1]), tensor) : tensor);
    const index = rows.at.mul(width).unsqueeze(2).add(mirror(columns.at).unsqueeze(1));
    const inside = rows.inside.unsqueeze(2).logicalAnd(mirror(columns.inside).unsqueeze(1));
    const flat = index.reshape([count, 1, height * width]).expand([count, channels, height * width]);
    const picked = images.reshape([count, channels, height * width]).gather(2, flat);
    return picked.reshape([count, channels, height, width]).mul(inside.unsqueeze(1).to("float32"));
  });
}

/** Random crop of the padded image and horizontal flip, the usual augmentation of CIFAR-10. */
export const cropFlip = defineAugmentation("crop-flip", {
  summary: "random crop of the padded image and horizontal flip, the usual augmentation of CIFAR-10",
  options: z.strictObject({
    padding: z
      .int()
      .min(0)
      .max(1000)
      .default(4)
      .describe("pixels of black on each side, out of which is cropped"),
    flip: z.boolean().default(true).describe("mirror half of the images"),
  }),
  create: (options) => ({ augment: (images, noise) => cropAndFlip(images, noise, options) }),
});

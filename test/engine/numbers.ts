import { type Tensor, tensor } from "../../src/engine/index.js";

/** Numbers in -1 .. 1 without a pattern that a wrong stride would keep. */
export function noise(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    const wave = Math.sin((i + 1) * 12.9898 + seed * 78.233) * 43758.5453;
    return 2 * (wave - Math.floor(wave)) - 1;
  });
  return tensor(values, [...shape]);
}

/** Largest difference from float64 numbers, as a share of the largest of these; infinity for another shape. */
export function apart(given: Tensor, wanted: Tensor): number {
  if (given.shape.join() !== wanted.shape.join()) return Number.POSITIVE_INFINITY;
  const largest = wanted.abs().amax().item();
  return given.to("float64").sub(wanted).abs().amax().item() / Math.max(largest, 1e-30);
}

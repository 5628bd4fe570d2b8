// Output and gradients of a convolution by tiles, printed as JSON by the instruction set that the environment
// names.
import { fileURLToPath } from "node:url";
import { grad, scope, type Tensor, tensor, tiledConvolution } from "../../src/engine/index.js";

function waves(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * (seed + 0.618)));
  return tensor(values, [...shape]);
}

/** Values on images that are divided into tiles of 2 x 2, and of 4 x 4 outputs. */
export function tiledGradients(): number[][] {
  return [5, 8].flatMap((height) =>
    scope(() => {
      const weight = waves([32, 48, 3, 3], 1).requireGrad();
      const input = waves([2, 48, height, height], 2).requireGrad();
      const output = tiledConvolution(input, weight);
      const slope = waves([2, 32, height, height], 5);
      const made = [output, ...grad(output.mul(slope).sum(), [input, weight])];
      return made.map((value) => [...value.toNumbers()]);
    }),
  );
}

// As a process of its own, for another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(JSON.stringify(tiledGradients()));

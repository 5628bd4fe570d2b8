// Output and gradients of a convolution by tiles, printed as JSON by the instruction set that the environment
// names.
import { fileURLToPath } from "node:url";
import { grad, scope, tiledConvolution } from "../../src/engine/index.js";
import { noise } from "./numbers.js";

/** Values on images that are divided into tiles of 2 x 2, and of 4 x 4 outputs. */
export function tiledGradients(): number[][] {
  return [5, 8].flatMap((height) =>
    scope(() => {
      const weight = noise([32, 48, 3, 3], 1).requireGrad();
      const input = noise([2, 48, height, height], 2).requireGrad();
      const output = tiledConvolution(input, weight);
      const slope = noise([2, 32, height, height], 5);
      const made = [output, ...grad(output.mul(slope).sum(), [input, weight])];
      return made.map((value) => [...value.toNumbers()]);
    }),
  );
}

// As a process of its own, for another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(JSON.stringify(tiledGradients()));

// Outputs and gradients of tiled layers, printed as JSON by the instruction set that the environment names.
import { fileURLToPath } from "node:url";
import { grad, packedLayer, packWeights, scope, type Tensor, tensor } from "../../src/engine/index.js";

const padded = { stride: [1, 1], padding: [1, 1] } as const;

function waves(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * (seed + 0.618))),
    [...shape],
  );
}

/** Values of layers in tiles of 2 x 2 and of 4 x 4 outputs, forward and back. */
export function packedTiles(): number[][] {
  return [2, 4].flatMap((side) =>
    [5, 8].flatMap((height) =>
      scope(() => {
        const packed = packWeights(waves([32, 48, 3, 3], 1), padded, [side, side]);
        const x = waves([2, 48, height, 7], 2).requireGrad();
        const residual = waves([2, 32, height, 7], 3);
        const output = packedLayer(x, packed, { bias: waves([32], 4), residual, relu: true });
        const [gradient] = grad(output.mul(waves([2, 32, height, 7], 5)).sum(), [x]);
        for (const part of [packed.forward, packed.backward]) part.dispose();
        return [output, gradient!].map((value) => [...value.toNumbers()]);
      }),
    ),
  );
}

// As a process of its own, for another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(JSON.stringify(packedTiles()));

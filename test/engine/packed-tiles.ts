// Outputs and gradients of tiled layers, printed as JSON by the instruction set that the environment names.
import { fileURLToPath } from "node:url";
import { grad, packedLayer, packWeights, scope } from "../../src/engine/index.js";
import { noise } from "./numbers.js";

const padded = { stride: [1, 1], padding: [1, 1] } as const;

/** Values of layers in tiles of 2 x 2 and of 4 x 4 outputs, forward and back. */
export function packedTiles(): number[][] {
  return [2, 4].flatMap((side) =>
    [5, 8].flatMap((height) =>
      scope(() => {
        const packed = packWeights(noise([32, 48, 3, 3], 1), padded, [side, side]);
        const x = noise([2, 48, height, 7], 2).requireGrad();
        const residual = noise([2, 32, height, 7], 3);
        const output = packedLayer(x, packed, { bias: noise([32], 4), residual, relu: true });
        const [gradient] = grad(output.mul(noise([2, 32, height, 7], 5)).sum(), [x]);
        for (const part of [packed.forward, packed.backward]) part.dispose();
        return [output, gradient!].map((value) => [...value.toNumbers()]);
      }),
    ),
  );
}

// As a process of its own, for another instruction set.
if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(JSON.stringify(packedTiles()));

import { noGrad, type quantizationRanges, scope, type Tensor } from "../../engine/index.js";

/** Other gradients than straight-through for a quantizer, which adaptive attacks take. */
export const quantizerGradients = ["straight-through", "staircase", "range"] as const;
export type QuantizerGradient = (typeof quantizerGradients)[number];

/** Slope of the smooth staircase at a rise, in levels: most of a rise happens within a fifth of a level. */
const steepness = 10;
/** Rises that count at a level: the next is 2.5 levels away, where the slope is e^-20 of the nearest's. */
const nearRises = 5;

/** Minimum and maximum of activations (N, ...) over a range, shaped to go with them. */
function extremes(input: Tensor, range: (typeof quantizationRanges)[number]): { low: Tensor; high: Tensor } {
  const first = { batch: 0, image: 1, channel: 2 }[range];
  const dims = input.shape.map((_, dim) => dim).slice(first);
  return { low: input.amin(dims, true), high: input.amax(dims, true) };
}

/**
 * The same values as `output`, the quantized `input`, with another gradient.
 *
 * `staircase`: d y / d h is the slope of a staircase of sigmoids, steep between two levels and flat on them.
 * `range`: straight-through, and the gradient through the minimum m and the maximum M too, with q / lambda
 * the normalized output and g / lambda the normalized input: dy = dh + (q - g) / lambda * (dM - dm).
 */
export function withGradient(
  kind: Exclude<QuantizerGradient, "straight-through">,
  input: Tensor,
  output: Tensor,
  options: { lambda: number; range: (typeof quantizationRanges)[number] },
): Tensor {
  const { low, high } = extremes(input, options.range);
  const width = high.sub(low);
  // All alike: there is nothing to normalize, and the activation is passed on as it is.
  const safe = width.detach().clamp(1e-12);
  if (kind === "range") {
    const residue = output.detach().sub(input.detach()).div(safe);
    return output.add(residue.mul(width.sub(width.detach())));
  }
  const slope = noGrad(() =>
    scope(() => slopeAt(input.sub(low).div(safe).mul(options.lambda), options.lambda)),
  );
  return output.detach().add(input.sub(input.detach()).mul(slope));
}

/**
 * Slope of the staircase at levels 0 to lambda: that of the nearest rises. All others together are below what
 * float32 tells apart.
 */
function slopeAt(levels: Tensor, lambda: number): Tensor {
  const count = Math.min(lambda, nearRises);
  const first = levels
    .floor()
    .sub((nearRises - 1) / 2)
    .clamp(0, lambda - count);
  const slope = levels.zerosLike();
  for (let i = 0; i < count; i++) {
    scope(() => {
      const height = levels
        .sub(first)
        .sub(i + 0.5)
        .mul(steepness)
        .sigmoid();
      slope.add_(height.mul(height.neg().add(1)), steepness);
    });
  }
  return slope;
}

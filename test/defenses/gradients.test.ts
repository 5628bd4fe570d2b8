import { describe, expect, it } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { type QuantizerOptions, quantizer } from "../../src/defenses/index.js";
import { countedUniform, enableGrad, grad, imageIdRange, type Tensor } from "../../src/engine/index.js";

const noise = { seed: deriveSeed(0, "quantizer gradients"), draw: 0, imageIds: imageIdRange(0, 2) };
const input = countedUniform(noise, 0, [2, 3, 3]).mul(4).sub(1);
const weights = countedUniform(noise, 1, [2, 3, 3]).sub(0.5);

function quantized(
  options: Partial<QuantizerOptions>,
  quantizerGradient?: string,
): { output: Tensor; gradient: Tensor } {
  const quantization = quantizer(options)(0);
  return enableGrad(() => {
    const h = input.detach().requireGrad();
    const output = quantization.apply(h, { training: false, noise, quantizerGradient });
    const [gradient] = grad(output.mul(weights).sum(), [h]);
    return { output: output.detach(), gradient: gradient! };
  });
}

describe.each(["image", "channel", "batch"] as const)("range %s", (range) => {
  const options = { lambda: 2, range };

  it.each(["staircase", "range"])("%s keeps the values", (kind) => {
    const difference = quantized(options, kind).output.sub(quantized(options).output).abs().amax().item();
    expect(difference).toBeLessThan(1e-6);
  });

  it("range is straight-through but at the minimum and the maximum", () => {
    const { gradient, output } = quantized(options, "range");
    const dims = { batch: [0, 1, 2, 3], image: [1, 2, 3], channel: [2, 3] }[range]!;
    const [low, high] = [input.amin(dims, true), input.amax(dims, true)];
    const share = output.sub(input).div(high.sub(low)).mul(weights).sumDim(dims, true);
    const expected = weights.add(share.mul(input.eq(high).to("float32").sub(input.eq(low).to("float32"))));
    expect(gradient.sub(expected).abs().amax().item()).toBeLessThan(1e-5);
  });

  it("staircase is steepest half-way between two levels", () => {
    const { gradient } = quantized({ lambda: 1, range }, "staircase");
    const dims = { batch: [0, 1, 2, 3], image: [1, 2, 3], channel: [2, 3] }[range]!;
    const [low, high] = [input.amin(dims, true), input.amax(dims, true)];
    const level = input.sub(low).div(high.sub(low));
    const rise = level.sub(0.5).mul(10).sigmoid();
    const expected = rise.mul(rise.neg().add(1)).mul(10).mul(weights);
    expect(gradient.sub(expected).abs().amax().item()).toBeLessThan(1e-4);
  });
});

/** Slope of the whole staircase, summed over all of its rises in float64. */
function wholeSlope(lambda: number): Tensor {
  const wide = input.to("float64");
  const [low, high] = [wide.amin([1, 2, 3], true), wide.amax([1, 2, 3], true)];
  const levels = wide.sub(low).div(high.sub(low)).mul(lambda);
  return Array.from({ length: lambda }, (_, rise) =>
    levels
      .sub(rise + 0.5)
      .mul(10)
      .sigmoid(),
  )
    .map((height) => height.mul(height.neg().add(1)).mul(10))
    .reduce((sum, slope) => sum.add(slope));
}

it.each([1, 2, 3, 5, 6, 7, 40])("the staircase of %i rises has the slope of all of them", (lambda) => {
  const { gradient } = quantized({ lambda, range: "image" }, "staircase");
  const expected = wholeSlope(lambda).mul(weights);
  // A level in float32 is off by up to 4e-6 of 40, and its slope by ten times as much.
  expect(gradient.sub(expected).abs().amax().item()).toBeLessThan(4e-6 * Math.max(5, lambda));
});

it("the staircase of a million rises takes no longer than one of few", () => {
  const { gradient, output } = quantized({ lambda: 2 ** 20, range: "image" }, "staircase");
  expect(gradient.isfinite().all().item()).toBe(1);
  expect(output.sub(input).abs().amax().item()).toBeLessThan(1e-4);
});

it("an unknown gradient is named", () => {
  expect(() => quantized({}, "stair")).toThrow('unknown quantizer gradient "stair"');
});

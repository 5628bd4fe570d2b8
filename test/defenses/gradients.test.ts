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

it("an unknown gradient is named", () => {
  expect(() => quantized({}, "stair")).toThrow('unknown quantizer gradient "stair"');
});

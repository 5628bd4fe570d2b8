// Convolutions by tiles, with weights that change, against libtorch's own operator in float64.
import { describe, expect, it } from "vitest";
import {
  grad,
  operators as ops,
  scope,
  setThreads,
  type Tensor,
  threads,
  tiledConvolution,
  tiledConvolutionSupports,
} from "../../src/engine/index.js";
import { onInstructionSet } from "./instruction-sets.js";
import { apart, noise } from "./numbers.js";
import { tiledGradients } from "./tiled-gradients.js";

const exact = (input: Tensor, weight: Tensor) => ops.conv2d(input, weight, null, [1, 1], [1, 1], [1, 1], 1);

/** Output, and gradients by the input and the weight. */
function ofBoth(layer: typeof exact, input: Tensor, weight: Tensor, slope: Tensor): Tensor[] {
  const [x, w] = [input.clone().requireGrad(), weight.clone().requireGrad()];
  const output = layer(x, w);
  return [output, ...grad(output.mul(slope).sum(), [x, w])];
}

describe("a convolution by tiles", () => {
  it.each([
    { input: [3, 16, 8, 8], filters: 32 },
    { input: [2, 48, 7, 5], filters: 16 },
    { input: [2, 16, 1, 1], filters: 16 },
    { input: [2, 32, 2, 9], filters: 64 },
    { input: [1, 64, 3, 4], filters: 32 },
    { input: [9, 32, 33, 31], filters: 16 },
    { input: [300, 16, 6, 6], filters: 48 },
  ])("has libtorch's values and gradients, %o", ({ input, filters }) => {
    scope(() => {
      const [n, channels, height, width] = input as [number, number, number, number];
      const [x, w] = [noise(input, 1), noise([filters, channels, 3, 3], 2)];
      const slope = noise([n, filters, height, width], 3);
      const ours = ofBoth(tiledConvolution, x, w, slope);
      const [x64, w64, slope64] = [x, w, slope].map((value) => value.to("float64")) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const theirs = ofBoth(exact, x64, w64, slope64);
      for (const [i, value] of ours.entries()) expect(apart(value, theirs[i]!)).toBeLessThan(3e-6);
    });
  });

  it("takes tensors of any memory order", () => {
    scope(() => {
      const x = noise([3, 5, 4, 16], 1).permute([0, 3, 2, 1]);
      const w = noise([3, 16, 3, 32], 2).permute([3, 1, 0, 2]);
      const slope = noise([3, 4, 32, 5], 3).permute([0, 2, 1, 3]);
      const ours = ofBoth(tiledConvolution, x, w, slope);
      const theirs = ofBoth(exact, x.to("float64"), w.to("float64"), slope.to("float64"));
      for (const [i, value] of ours.entries()) expect(apart(value, theirs[i]!)).toBeLessThan(3e-6);
    });
  });

  it("keeps the errors of a weight's gradient small over many tiles", () => {
    scope(() => {
      const [x, w] = [noise([128, 32, 16, 16], 1), noise([32, 32, 3, 3], 2)];
      const slope = noise([128, 32, 16, 16], 3);
      const [, , ours] = ofBoth(tiledConvolution, x, w, slope);
      const [, , theirs] = ofBoth(exact, x.to("float64"), w.to("float64"), slope.to("float64"));
      const error = ours!.to("float64").sub(theirs!).abs();
      const largest = theirs!.abs().amax().item();
      expect(error.amax().item() / largest).toBeLessThan(2e-6);
      expect(error.mean().item() / largest).toBeLessThan(2e-7);
    });
  });

  it("has the same bits for any number of threads", () => {
    const before = threads();
    const bits = (count: number) =>
      scope(() => {
        setThreads(count);
        const made = ofBoth(
          tiledConvolution,
          noise([40, 32, 12, 12], 1),
          noise([16, 32, 3, 3], 2),
          noise([40, 16, 12, 12], 3),
        );
        return made.map((value) => [...value.toNumbers()]);
      });
    try {
      expect(bits(2)).toEqual(bits(1));
    } finally {
      setThreads(before);
    }
  });

  it.each(["avx2", "default"])("is computed with %s as with the widest vectors", (capability) => {
    const { isFused, values } = onInstructionSet(capability, "tiled-gradients.ts");
    for (const [i, here] of tiledGradients().entries()) {
      const elsewhere = values[i]!;
      const largest = here.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (isFused) expect(elsewhere).toEqual(here);
      for (const [j, value] of here.entries())
        expect(Math.abs(value - elsewhere[j]!)).toBeLessThan(1e-5 * largest);
    }
  });

  it("has libtorch's gradients of gradients", () => {
    scope(() => {
      const second = (layer: typeof exact, x: Tensor, w: Tensor) => {
        const [input, weight] = [x.clone().requireGrad(), w.clone().requireGrad()];
        const [byInput] = grad(layer(input, weight).sin().sum(), [input], { createGraph: true });
        return grad(byInput!.square().sum(), [input, weight]);
      };
      const [x, w] = [noise([2, 16, 5, 6], 1), noise([32, 16, 3, 3], 2)];
      const theirs = second(exact, x.to("float64"), w.to("float64"));
      for (const [i, value] of second(tiledConvolution, x, w).entries())
        expect(apart(value, theirs[i]!)).toBeLessThan(1e-5);
    });
  });

  it("passes NaN on, and gives no images none", () => {
    scope(() => {
      const weight = noise([16, 16, 3, 3], 2);
      const nan = ops.full([1, 16, 4, 4], Number.NaN, "float32");
      expect(tiledConvolution(nan, weight).isnan().all().item()).toBe(1);
      const none = ops.zeros([0, 16, 4, 4], "float32");
      const [output, byInput, byWeight] = ofBoth(tiledConvolution, none, weight, none);
      expect(output!.shape).toEqual([0, 16, 4, 4]);
      expect(byInput!.shape).toEqual([0, 16, 4, 4]);
      expect(byWeight!.abs().amax().item()).toBe(0);
    });
  });

  it("says what does not fit", () => {
    scope(() => {
      const [x, w] = [noise([1, 16, 4, 4], 1), noise([16, 16, 3, 3], 2)];
      const bad: [Tensor, Tensor, string][] = [
        [x.to("float64"), w, "input must be float32 on the CPU"],
        [x, w.to("float64"), "weight must be float32 on the CPU"],
        [x.flatten(0), w, "input must have shape (N, in, H, W)"],
        [x, noise([16, 16, 5, 5], 2), "weight must have shape (out, in, 3, 3)"],
        [x, noise([16, 12, 3, 3], 2), "channels must be multiples of"],
        [noise([1, 32, 4, 4], 1), w, "input must have 16 channels"],
      ];
      for (const [input, weight, message] of bad) {
        expect(tiledConvolutionSupports(input, weight)).toBe(false);
        expect(() => tiledConvolution(input, weight)).toThrow(message);
      }
      expect(tiledConvolutionSupports(x, w)).toBe(true);
    });
  });
});

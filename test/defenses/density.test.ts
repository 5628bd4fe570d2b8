import { describe, expect, it } from "vitest";
import { likeliestLevels } from "../../src/defenses/density/logistic-mixture.js";
import { purified } from "../../src/defenses/density/purify.js";
import { logLikelihood, PixelCnn } from "../../src/defenses/index.js";
import {
  countedUniform,
  imageIdRange,
  noGrad,
  operators as ops,
  type Tensor,
  tensor,
} from "../../src/engine/index.js";

const imageIds = imageIdRange(4, 2);
const noise = { seed: { low: 3, high: 9 }, draw: 0, imageIds };
const pass = { training: false, noise };
const uniforms = (shape: readonly number[], stream = 0) => countedUniform(noise, stream, shape);
const densityOf = (channels: number) => new PixelCnn({ channels, filters: 4, layers: 3, mixtures: 3 }, 5);
const largest = (value: Tensor) => value.abs().amax().item();
const ln = (x: number) => Math.log(x);

/** Purification by a whole pass of the density model for every pixel. */
function bySinglePasses(density: PixelCnn, images: Tensor, radius: number): Tensor {
  const given = images.mul(255).round();
  const levels = given.clone();
  const offsets = ops.arange(-radius, radius + 1, 1, "float32");
  const [, , height, width] = images.shape as [number, number, number, number];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const numbers = density.apply(levels, pass).select(2, y).select(2, x);
      const chosen = likeliestLevels(numbers, given.select(2, y).select(2, x), offsets);
      levels.select(2, y).select(2, x).copy_(ops.cat(chosen, 1));
    }
  }
  return levels.div(255);
}

describe("logistic mixture", () => {
  it.each([-9, -6, -2, 0, 3])("has masses that add up to 1, at scale e^%d", (scale) => {
    const levels = ops.arange(0, 256, 1, "float32").reshape([1, 1, 1, 256]);
    const numbers = tensor([0.3, -0.4, -0.7, 0.2, scale, scale], [1, 6, 1, 1]).expand([1, 6, 1, 256]);
    expect(logLikelihood(numbers, levels).exp().sum().item()).toBeCloseTo(1, 4);
  });

  it("has the masses of a mixture written out, each channel given those before it", () => {
    const levels = [
      [0, 255, 17],
      [200, 3, 90],
    ];
    const numbers = Array.from(
      { length: 2 * 10 },
      (_, i) => Math.sin(3 * i + 1) - (i >= 8 && i < 14 ? 2 : 0),
    );
    const cumulated = (edge: number, mean: number, scale: number) =>
      1 / (1 + Math.exp((mean - edge) / scale));
    const wanted = levels.map((pixel) => {
      const parts = [0, 1].map((k) => {
        const of = (place: number) => numbers[2 * place + k]!;
        const x = pixel.map((level) => (2 * level) / 255 - 1);
        const shifts = [0, Math.tanh(of(7)) * x[0]!, Math.tanh(of(8)) * x[0]! + Math.tanh(of(9)) * x[1]!];
        const masses = pixel.map((level, c) => {
          const [mean, scale] = [of(1 + c) + shifts[c]!, Math.exp(Math.max(of(4 + c), -7))];
          const high = level === 255 ? 1 : cumulated(x[c]! + 1 / 255, mean, scale);
          return high - (level === 0 ? 0 : cumulated(x[c]! - 1 / 255, mean, scale));
        });
        return Math.exp(of(0)) * masses.reduce((product, mass) => product * mass, 1);
      });
      return ln(parts[0]! + parts[1]!) - ln(Math.exp(numbers[0]!) + Math.exp(numbers[1]!));
    });
    const found = logLikelihood(
      tensor(numbers, [1, 20, 1, 1]).expand([2, 20, 1, 1]),
      tensor(levels.flat(), [2, 3, 1, 1]),
    );
    for (const [i, value] of found.toNumbers().entries()) expect(value).toBeCloseTo(wanted[i]!, 3);
  });
});

describe("density model", () => {
  it.each([1, 3])(
    "tells a pixel's distribution of the pixels before it alone, of %d channels",
    (channels) => {
      noGrad(() => {
        const density = densityOf(channels);
        const levels = uniforms([channels, 6, 5]).mul(255).round();
        const other = levels.clone();
        const [y, x] = [2, 3];
        other.select(2, y).select(2, x).copy_(levels.select(2, y).select(2, x).neg().add(255));
        const difference = density.apply(other, pass).sub(density.apply(levels, pass)).abs().amax([0, 1]);
        const changed = difference.toNumbers().map((value) => value > 0);
        expect(changed.slice(0, y * 5 + x + 1)).not.toContain(true);
        // The pixels right of it, and those below within the model's reach.
        expect(changed.slice(y * 5 + x + 1)).toContain(true);
        expect(changed[(y + 1) * 5]).toBe(true);
      });
    },
  );
});

describe("purification", () => {
  it.each([1, 3])("is that of a whole pass for every pixel, of %d channels", (channels) => {
    noGrad(() => {
      const density = densityOf(channels);
      const images = uniforms([channels, 6, 5]);
      const found = purified(density, images, 16, pass);
      expect(largest(found.sub(bySinglePasses(density, images, 16)))).toBe(0);
      expect(largest(found.sub(images.mul(255).round().div(255)))).toBeGreaterThan(10 / 255);
      expect(largest(found.sub(images))).toBeLessThan(16.51 / 255);
    });
  });

  it("leaves images as they are within 0, but for their rounding", () => {
    const images = uniforms([1, 5, 5]);
    const found = purified(densityOf(1), images, 0, pass);
    expect(largest(found.sub(images.mul(255).round().div(255)))).toBeLessThan(1e-6);
  });

  it("does not depend on the other images", () => {
    const images = uniforms([1, 6, 6]);
    const density = densityOf(1);
    const alone = purified(density, images.slice(0, 1, 2), 40, pass);
    expect(largest(alone.sub(purified(density, images, 40, pass).slice(0, 1, 2)))).toBe(0);
  });
});

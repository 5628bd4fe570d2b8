import { describe, expect, test } from "vitest";
import { wordStream } from "../../src/base/index.js";
import { channelStatistics, imagesOf, mnist } from "../../src/datasets/index.js";

/** Mean and deviation of each channel, written out: the mean first, then the mean of squared differences. */
function reference(images: ArrayLike<number>, channels: number, area: number, scale: number) {
  const found = { mean: [] as number[], std: [] as number[] };
  for (let channel = 0; channel < channels; channel++) {
    const pixels = Array.from(images)
      .filter((_, i) => Math.floor(i / area) % channels === channel)
      .map((pixel) => pixel / scale);
    const mean = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
    found.mean.push(mean);
    found.std.push(Math.sqrt(pixels.reduce((sum, pixel) => sum + (pixel - mean) ** 2, 0) / pixels.length));
  }
  return found;
}

const splitOf = (images: Uint8Array | Float32Array, shape: readonly [number, number, number]) => {
  const count = images.length / (shape[0] * shape[1] * shape[2]);
  return imagesOf({ images, labels: new Uint8Array(count), shape, classes: ["a", "b"] }).train;
};

function expectClose(
  found: { mean: readonly number[]; std: readonly number[] },
  wanted: typeof found,
  digits: number,
) {
  for (const name of ["mean", "std"] as const) {
    expect(found[name]).toHaveLength(wanted[name].length);
    for (const [i, value] of wanted[name].entries()) expect(found[name][i]).toBeCloseTo(value, digits);
  }
}

describe("mean and standard deviation of each channel", () => {
  const word = wordStream(3);
  const bytes = Uint8Array.from(
    { length: 7 * 3 * 4 * 5 },
    (_, i) => (word() % 100) + 50 * (Math.floor(i / 20) % 3),
  );

  test("are those of their pixels, bytes divided by 255", () => {
    expectClose(channelStatistics(splitOf(bytes, [3, 4, 5])), reference(bytes, 3, 20, 255), 12);
  });

  test("are the same for the same pixels as floats, and for a view", () => {
    const floats = Float32Array.from(bytes, (pixel) => pixel / 255);
    expectClose(channelStatistics(splitOf(floats, [3, 4, 5])), reference(floats, 3, 20, 1), 12);
    const view = splitOf(bytes.subarray(60, 180), [3, 4, 5]);
    expectClose(channelStatistics(view), reference(bytes.subarray(60, 180), 3, 20, 255), 12);
  });

  test("of MNIST are the constants that everybody normalizes by", () => {
    const { train, statistics } = mnist();
    const found = channelStatistics(train);
    expect([found.mean[0]!.toFixed(4), found.std[0]!.toFixed(4)]).toEqual(["0.1307", "0.3081"]);
    expect(statistics).toEqual({ mean: [0.1307], std: [0.3081] });
  });

  test("of images in memory are those of the training images", () => {
    const data = imagesOf({
      images: Uint8Array.of(0, 0, 255, 255),
      labels: [0, 1],
      shape: [1, 1, 2],
      classes: ["a", "b"],
      test: { images: Uint8Array.of(255, 255), labels: [0] },
    });
    expect(data.statistics).toEqual({ mean: [0.5], std: [0.5] });
    expect(data.statistics).toBe(data.statistics);
  });

  test("leave a channel that is constant as it is, whatever its value", () => {
    for (const value of [0, 0.1, 0.3, 0.7, 1]) {
      const floats = new Float32Array(999).fill(value);
      expect(channelStatistics(splitOf(floats, [1, 9, 37]))).toEqual({
        mean: [Math.fround(value)],
        std: [1],
      });
      const level = Math.round(255 * value);
      const { mean, std } = channelStatistics(splitOf(new Uint8Array(999).fill(level), [1, 9, 37]));
      expect([mean, std]).toEqual([[level / 255], [1]]);
    }
  });

  test("tell a channel that is nearly constant from noise of rounding", () => {
    const floats = new Float32Array(10_000).fill(0.7);
    floats[5000] = 0.7 + 2 ** -20;
    const { std } = channelStatistics(splitOf(floats, [1, 100, 100]));
    expect(std[0]! / (2 ** -20 / 100)).toBeCloseTo(1, 1);
  });

  test("are not those of what is no split", () => {
    expect(() => channelStatistics(mnist() as never)).toThrow("images must be a split such as mnist().test");
  });
});

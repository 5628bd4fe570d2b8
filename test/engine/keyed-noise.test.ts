import { expect, test } from "vitest";
import { deriveSeed } from "../../src/base/index.js";
import { countedUniform as reference } from "../../src/base/philox.js";
import {
  imageIdRange,
  type Noise,
  normal,
  tensor,
  uniform,
  withoutHostAccess,
} from "../../src/engine/index.js";

const seed = deriveSeed(2);
const noise: Noise = { seed, draw: 5, imageIds: imageIdRange(3, 2) };

test("uniform noise is the readable reference of the key's stream", () => {
  const of = (stream: number) =>
    [3, 4].flatMap((image) =>
      Array.from({ length: 6 }, (_, i) => reference(seed, { stream, draw: 5, image }, i)),
    );
  expect(uniform(noise, [2, 3], 17).toNumbers()).toEqual(of(17));
  expect(uniform(noise, [2, 3]).toNumbers()).toEqual(of(2 ** 28));
  expect(uniform(noise, []).shape).toEqual([2]);
});

test("normal noise is the Box-Muller transform of a stream and the one 2^31 behind it", () => {
  const found = normal(noise, [8], 9).toNumbers();
  for (const [i, value] of found.entries()) {
    const at = { draw: 5, image: 3 + Math.floor(i / 8) };
    const [first, second] = [9, 9 + 2 ** 31].map((stream) => reference(seed, { stream, ...at }, i % 8)) as [
      number,
      number,
    ];
    expect(value).toBeCloseTo(Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second), 5);
  }
});

test("noise is drawn without a look at what tensors hold", () => {
  const words = tensor([seed.low, seed.high, 5], [3], "int64");
  const keyed = { ...noise, seed: words, draw: 0 };
  const [flat, bell] = withoutHostAccess(() => [uniform(keyed, [4]), normal(keyed, [4])]);
  expect(flat!.toNumbers()).toEqual(uniform(noise, [4]).toNumbers());
  expect(bell!.toNumbers()).toEqual(normal(noise, [4]).toNumbers());
});

test.each<[string, Parameters<typeof uniform>, string]>([
  ["no key", [undefined as never, [2]], "noise must be an object { seed, draw, imageIds }, not undefined"],
  [
    "no ids",
    [{ ...noise, imageIds: [0, 1] as never }, [2]],
    "noise.imageIds must be a tensor, such as imageIdRange(0, 8)",
  ],
  [
    "float ids",
    [{ ...noise, imageIds: tensor([0, 1]) }, [2]],
    "noise.imageIds must be int64 of shape [N], not Tensor(float32",
  ],
  [
    "a number for a seed",
    [{ ...noise, seed: 5 as never }, [2]],
    "noise.seed must be what deriveSeed returns, not 5",
  ],
  ["words beyond 32 bits", [{ ...noise, seed: { low: -1, high: 0 } }, [2]], "seed words must be integers in"],
  ["a draw", [{ ...noise, draw: 0.5 }, [2]], "noise.draw must be an integer in 0 .. 2^32 - 1, not 0.5"],
  ["no shape", [noise, undefined as never], "shape must be a list of integers >= 0"],
  ["a shape", [noise, [2, -1]], "shape must hold integers >= 0, not [2, -1]"],
  ["a stream", [noise, [2], 2 ** 31], "stream must be an integer in 0 .. 2^31 - 1, not 2147483648"],
])("%s that cannot be is refused", (_, given, message) => {
  expect(() => uniform(...given)).toThrow(message);
  expect(() => normal(...given)).toThrow(message);
});

import { expect, test } from "vitest";
import { deriveSeed, imageIdRange, tensor } from "../../src/engine/index.js";
import { large, parseNetwork, small } from "../../src/models/index.js";
import { parameterCount } from "../../src/nn/index.js";

const noise = { seed: deriveSeed(0), draw: 0, imageIds: imageIdRange(0, 2) };
const images = tensor(
  Float32Array.from({ length: 2 * 784 }, (_, i) => Math.abs(Math.sin(i * 0.37))),
  [2, 1, 28, 28],
);

test("have the parameters that the design gives, under PyTorch's names", () => {
  const count = (c: number) =>
    c * 9 + c + (2 * c * c * 9 + 2 * c) + (4 * c * 2 * c * 9 + 4 * c) + (8 * c * 36 * c + 8 * c) + (10 * 8 * c + 10);
  expect(count(16)).toBe(98_442);
  expect(parameterCount(small.build({ seed: 0 }).module)).toBe(count(16));
  expect(parameterCount(large.build({ seed: 0 }).module)).toBe(count(64));
  const names = ["conv1", "conv2", "conv3", "fc1", "fc2"].flatMap((name) => [`${name}.weight`, `${name}.bias`]);
  expect([...small.build({ seed: 0, sqa: {} }).module.state().keys()]).toEqual(names);
});

test("small equals a direct evaluation in float64", () => {
  const model = small.build({ seed: 3, sqa: {} });
  const state = new Map([...model.module.state()].map(([name, value]) => [name, value.toNumbers()]));
  const block = (x: number[], from: number, to: number, side: number, name: string): number[] => {
    const weight = state.get(`${name}.weight`)!;
    const bias = state.get(`${name}.bias`)!;
    const half = Math.floor(side / 2);
    const pooled = new Array<number>(to * half * half).fill(0); // pooling ReLU's outputs: at least 0
    for (let o = 0; o < to; o++) {
      for (let i = 0; i < half * 2; i++) {
        for (let j = 0; j < half * 2; j++) {
          let sum = bias[o]!;
          for (let c = 0; c < from; c++) {
            for (let k = 0; k < 9; k++) {
              const [row, column] = [i + Math.floor(k / 3) - 1, j + (k % 3) - 1];
              if (row < 0 || row >= side || column < 0 || column >= side) continue;
              sum += weight[(o * from + c) * 9 + k]! * x[(c * side + row) * side + column]!;
            }
          }
          const at = (o * half + (i >> 1)) * half + (j >> 1);
          pooled[at] = Math.max(pooled[at]!, sum);
        }
      }
    }
    return pooled;
  };
  const dense = (x: number[], name: string): number[] =>
    state
      .get(`${name}.bias`)!
      .map((b, o) => x.reduce((sum, value, i) => sum + value * state.get(`${name}.weight`)![o * x.length + i]!, b));
  const pixels = images.toNumbers();
  const expected = [0, 1].flatMap((n) => {
    const first = block(pixels.slice(n * 784, n * 784 + 784), 1, 16, 28, "conv1");
    const third = block(block(first, 16, 32, 14, "conv2"), 32, 64, 7, "conv3");
    return dense(
      dense(third, "fc1").map((value) => Math.max(0, value)),
      "fc2",
    );
  });
  const twin = model.classifier({ quantization: false });
  expect(twin.randomized).toBe(false);
  const logits = twin.logits(images, noise).toNumbers();
  for (const [i, value] of logits.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  expect(small.build({ seed: 3 }).classifier().logits(images, noise).toNumbers()).toEqual(logits);
  expect(model.classifier().randomized).toBe(true);
});

test("an unknown network suggests the nearest", () => {
  expect(() => parseNetwork("smal")).toThrow('unknown network "smal"; did you mean "small"?');
});
